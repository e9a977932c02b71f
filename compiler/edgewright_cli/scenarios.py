"""Options of a verb that puts an engine under load, and what they found on a terminal."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_cli.console import bold, table, wrapped
from edgewright_cli.files import check_writable
from edgewright_cli.options import positive
from edgewright_targets import InputError
from edgewright_targets.installed import check_installed, needs

if TYPE_CHECKING:
    from edgewright_benchmarks.engine_result import EngineResult
    from edgewright_benchmarks.scenarios.settings import ScenarioSettings

# Of one run of LoadGen.
_SECONDS = 2.0
# Of each scenario but the server.
_RUNS = 3


def _seconds(text: str) -> float:
    """A number of seconds above zero."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 24 * 3600 or not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above zero, at most a day")
    return value


def add_scenarios(parser: argparse.ArgumentParser) -> None:
    """Which scenarios, and how."""
    group = parser.add_argument_group(
        "scenarios",
        "put the engine that runs here under the load of MLCommons LoadGen, after all else was measured",
    )
    words = "single-stream, multi-stream, offline, server; several with commas between (see docs/measuring.md)"
    group.add_argument("--scenario", action="append", default=[], metavar="NAMES", help=words)
    words = "with the scenario server: what the 99th percentile of the latency may take, such as 20ms"
    group.add_argument("--latency-limit", metavar="TIME", help=words)
    words = "batch=1,2,4 or streams=1,2,4: the scenarios with each of these (without --scenario: offline)"
    group.add_argument("--sweep", action="append", default=[], metavar="WHAT", help=words)
    words = f"seconds of one run of LoadGen, at least (default: {_SECONDS:g}; official runs of MLPerf have 600)"
    group.add_argument("--scenario-seconds", type=_seconds, metavar="N", help=words)
    words = f"runs of each scenario but the server, whose search decides how many it has (default: {_RUNS})"
    group.add_argument("--scenario-runs", type=positive, metavar="N", help=words)
    words = "folder for LoadGen's own files (default: a folder with the package's name and .loadgen here)"
    group.add_argument("--scenario-logs", metavar="DIR", help=words)


def scenario_settings(options: argparse.Namespace) -> ScenarioSettings | None:
    """What the arguments of `add_scenarios` ask for; None where nothing.

    Raises:
        InputError: They do not fit together, or LoadGen is not installed.
    """
    if not options.scenario and not options.sweep:
        given = ("latency_limit", "scenario_seconds", "scenario_runs", "scenario_logs")
        for name in (name for name in given if getattr(options, name) is not None):
            raise InputError(
                f"--{name.replace('_', '-')} needs --scenario.", hint="Pass --scenario server, for instance."
            )
        return None
    from edgewright_benchmarks.scenarios.settings import ScenarioSettings, read_limit, read_scenarios, read_sweeps

    if options.device is not None:
        raise InputError(
            "--scenario cannot be used with --device: the load is generated on this machine.",
            hint="Run 'edgewright bench --scenario' on the device itself.",
        )
    sweeps = read_sweeps(options.sweep)
    settings = ScenarioSettings(
        scenarios=read_scenarios(options.scenario or ["offline"]),
        limit=None if options.latency_limit is None else read_limit(options.latency_limit),
        seconds=options.scenario_seconds or _SECONDS,
        logs=_logs(options),
        runs=options.scenario_runs or _RUNS,
        batches=sweeps.get("batch", (1,)),
        streams=sweeps.get("streams", (1,)),
    )
    with needs("loadgen"):
        check_installed("mlperf_loadgen")
    return settings


def _logs(options: argparse.Namespace) -> Path:
    folder = Path(options.scenario_logs or f"{Path(options.package).name.partition('.')[0] or 'package'}.loadgen")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"'{folder}' is a file; LoadGen's files need a folder.", hint="Pass another --scenario-logs.")
    check_writable(str(folder / "log"), new_folder=True)
    return folder


def scenario_text(engine: EngineResult) -> str:
    """The scenarios of an engine for people."""
    from edgewright_benchmarks.scenarios.words import (
        FIGURE_COLUMN,
        HEADINGS,
        NUMBERS,
        scenario_basis,
        scenario_figures,
        scenario_notes,
        scenario_rows,
    )

    rows = scenario_rows(engine.scenarios)
    # A terminal is narrow: columns in which nothing differs from the ordinary are left out, and figures said below.
    ordinary = {"Streams": "1", "Batch": "1"}
    kept = [
        i for i, name in enumerate(HEADINGS) if i != FIGURE_COLUMN and any(row[i] != ordinary.get(name) for row in rows)
    ]
    numbers = [place for place, i in enumerate(kept) if i in NUMBERS]
    parts = [
        wrapped(f"Scenarios of {bold(engine.name)}:"),
        table([HEADINGS[i].lower() for i in kept], [[row[i] for i in kept] for row in rows], numbers, fitted=True),
        "",
        wrapped(f"{scenario_figures(engine.scenarios)} {scenario_basis(engine.scenarios)}"),
        *(wrapped(note, "  ") for note in scenario_notes(engine.scenarios)),
    ]
    return "\n".join(parts)
