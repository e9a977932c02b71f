"""What the bars share: arguments, taking turns, figures with intervals, verdicts, the table.

A figure is a ratio of two things measured in one run, in turns; it passes where the upper end of its interval is
within the limit. What is not shown does not count.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.judging.evidence import tool_versions
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.statistics.bounds import span
from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_cli.console import print_json, say_error, table
from edgewright_targets import EdgewrightError, InputError, host_facts
from edgewright_targets.record import write_record

FOLDER = Path(__file__).resolve().parent
Verdict = Literal["pass", "FAIL", "not shown", "for information"]
Rounds = list[list[float]]
# The peak that the system reports for a child begins with that of its parent and survives exec: hence a small parent.
_LAUNCHER = """
import os, sys
nothing = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
process = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ, file_actions=[nothing])
_, status, usage = os.wait4(process, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of a bar: a ratio, the limit it is held to (None: it is only printed), and what to know about it."""

    bar: str
    compared: str
    ratio: Interval
    limit: float | None
    verdict: Verdict
    note: str = ""


Measure = Callable[[argparse.Namespace], list[Figure]]


def verdict(value: Interval, limit: float) -> Verdict:
    """Pass where the whole interval is within the limit, fail where its value is above."""
    if value.high <= limit:
        return "pass"
    return "FAIL" if value.value > limit else "not shown"


def figure(bar: str, compared: str, ours: Rounds, theirs: Rounds, limit: float | None, note: str = "") -> Figure:
    """The ratio of the same rounds of two sides, judged."""
    ratio = latency_ratio(ours, theirs)
    return Figure(
        bar=bar,
        compared=compared,
        ratio=ratio,
        limit=limit,
        verdict="for information" if limit is None else verdict(ratio, limit),
        note=note,
    )


def median_interval(values: Sequence[float], *, resamples: int = 2000) -> Interval:
    """A median of one value a round with its 95 % percentile bootstrap interval."""
    drawn = np.median(np.random.default_rng(0).choice(values, size=(resamples, len(values))), axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(np.median(values)), float(low), float(high))


def alternate(sides: Mapping[str, Callable[[], list[float]]], rounds: int) -> dict[str, Rounds]:
    """Measure the sides in turns, in a new order each round, after one round that fills caches and is not counted."""
    found: dict[str, Rounds] = {name: [] for name in sides}
    order = random.Random(0)
    with machine_to_itself(Quiet()):
        for number in range(rounds + 1):
            for name in order.sample(list(sides), len(sides)):
                values = sides[name]()
                if number:
                    found[name].append(values)
    return found


def child(*arguments: str) -> str:
    """Standard output of this Python with `arguments`, in a fresh process; it must succeed."""
    # Installed packages come with their bytecode; without it our side alone would be compiled at each start.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(FOLDER), environment.get("PYTHONPATH"))))
    done = subprocess.run([sys.executable, *arguments], check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise InputError(f"A measured process ended with exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def peak_memory(*arguments: str) -> Callable[[], list[float]]:
    """A side of `alternate`: peak resident memory of this Python with `arguments`, in units of the system."""
    return lambda: [float(child("-S", "-c", _LAUNCHER, *arguments))]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every bar."""
    parser.add_argument("--package", default="demo/intents.ortpackage", help="package folder (default: %(default)s)")
    parser.add_argument("--rounds", type=int, help="rounds in which the sides take turns (default: the bar's own)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def main(
    description: str | None,
    measures: Sequence[Measure],
    more: Callable[[argparse.ArgumentParser], None] | None = None,
) -> int:
    """Parse, measure, print; the exit code: 0 all pass, 1 not, 2 wrong use. `more` adds arguments of a bar's own."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    if more is not None:
        more(parser)
    options = parser.parse_args()
    try:
        figures = [one for measure in measures for one in measure(options)]
    except EdgewrightError as error:
        say_error(error)
        return error.exit_code
    if options.json:
        print_json({"figures": write_record(figures), "machine": write_record(host_facts()), "tools": tool_versions()})
    else:
        print(_as_table(figures))
    return int(any(one.verdict in ("FAIL", "not shown") for one in figures))


def _as_table(figures: Sequence[Figure]) -> str:
    header = ("bar", "compared", "ratio", "95 % interval", "at most", "verdict", "note")
    rows = [
        (
            one.bar,
            one.compared,
            f"{one.ratio.value:.3f}",
            span(one.ratio.low, one.ratio.high, 1 if one.limit is None else one.limit, 3),
            "" if one.limit is None else f"{one.limit:g}",
            one.verdict,
            one.note,
        )
        for one in figures
    ]
    return table(header, rows, right=(2, 3, 4))
