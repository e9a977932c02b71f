"""Which scenarios are run, and how."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from edgewright_benchmarks.scenario_result import SCENARIOS, Scenario
from edgewright_targets import InputError
from edgewright_targets.errors import nearest

# What LoadGen demands of an official run, in seconds; ours are for developers.
OFFICIAL_SECONDS: Final = 600
SweepKind = Literal["batch", "streams"]

_TIME = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(us|ms|s)")
# A queue that grows by a twentieth of the time has grown to the limit after so many times the limit: in a shorter run a
# rate just above what an engine can do would look kept.
_LIMITS_IN_A_RUN: Final = 20
_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_SHOWN = 60
_MOST_STREAMS = 256
_MOST_BATCH = 4096


@dataclass(frozen=True, kw_only=True)
class ScenarioSettings:
    """What is run.

    Attributes:
        scenarios: Which, each with all of the batches and streams below that it can have.
        limit: Seconds that the 99th percentile of a server may take; None where no server is among the scenarios.
        seconds: Of one run of LoadGen, at least, as it was asked for; see `run_seconds`.
        runs: Runs of each scenario but the server, whose search decides how many it has.
        batches: Most samples of one call, one number for each point of a sweep.
        streams: Copies of the engine, likewise.
        logs: Folder for LoadGen's own files.
    """

    scenarios: tuple[Scenario, ...]
    limit: float | None
    seconds: float
    runs: int
    logs: Path
    batches: tuple[int, ...] = (1,)
    streams: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        if "server" in self.scenarios and self.limit is None:
            raise InputError(
                "The scenario 'server' needs a limit for its latency.", hint="Pass --latency-limit 20ms, for instance."
            )
        if "server" not in self.scenarios and self.limit is not None:
            raise InputError("--latency-limit needs the scenario 'server'.", hint="Pass --scenario server as well.")
        if self.scenarios == ("single-stream",) and (self.batches != (1,) or self.streams != (1,)):
            raise InputError(
                "'single-stream' gives one sample at a time, so batches and streams change nothing.",
                hint="Sweep offline, server or multi-stream.",
            )

    def points(self, scenario: Scenario) -> list[tuple[int, int]]:
        """Streams and batch of each point that this scenario has."""
        if scenario == "single-stream":
            return [(1, 1)]
        return [(streams, batch) for streams in self.streams for batch in self.batches]

    def run_seconds(self, scenario: Scenario) -> float:
        """Seconds of one run of this scenario, at least: a server with a long limit has longer ones than asked for.

        >>> from pathlib import Path
        >>> from edgewright_benchmarks.scenarios.settings import ScenarioSettings
        >>> settings = ScenarioSettings(
        ...     scenarios=("offline", "server"), limit=1.0, seconds=2.0, runs=3, logs=Path("logs")
        ... )
        >>> settings.run_seconds("offline"), settings.run_seconds("server")
        (2.0, 20.0)
        """
        if scenario != "server" or self.limit is None:
            return self.seconds
        return max(self.seconds, _LIMITS_IN_A_RUN * self.limit)


def read_scenarios(texts: list[str]) -> tuple[Scenario, ...]:
    """Scenarios by their names, several with commas between; in the order of `SCENARIOS`.

    >>> from edgewright_benchmarks.scenarios.settings import read_scenarios
    >>> read_scenarios(["server,offline", "offline"])
    ('offline', 'server')

    Raises:
        InputError: A name is unknown.
    """
    names = [name.strip() for text in texts for name in text.split(",")]
    for name in names:
        if name not in SCENARIOS:
            raise InputError(
                f"There is no scenario '{name[:_SHOWN]}'. There are: {', '.join(SCENARIOS)}.",
                hint=nearest(name, SCENARIOS),
            )
    return tuple(name for name in SCENARIOS if name in names)


def read_limit(text: str) -> float:
    """Seconds from `20ms`, `1.5s` or `800us`.

    >>> from edgewright_benchmarks.scenarios.settings import read_limit
    >>> read_limit("20ms")
    0.02

    Raises:
        InputError: It is not a time above zero.
    """
    found = _TIME.fullmatch(text.strip())
    value = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < value < math.inf:
        raise InputError(
            f"--latency-limit: '{text[:_SHOWN]}' is not a time above zero.",
            hint="Write a number with its unit (s, ms or us), such as 20ms.",
        )
    return value


def read_sweeps(texts: list[str]) -> dict[SweepKind, tuple[int, ...]]:
    """What is swept, from `batch=1,2,4` and `streams=1,2`.

    Raises:
        InputError: It is of another form, or a number is not possible.
    """
    found: dict[SweepKind, tuple[int, ...]] = {}
    for text in texts:
        name, _, numbers = text.partition("=")
        most = {"batch": _MOST_BATCH, "streams": _MOST_STREAMS}.get(name.strip(), 0)
        parts = [part.strip() for part in numbers.split(",")]
        values = [int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) < 6]
        if not most or len(values) != len(parts) or not all(1 <= value <= most for value in values):
            raise InputError(
                f"--sweep: '{text[:_SHOWN]}' cannot be swept.",
                hint=f"Write batch=1,2,4,8 (at most {_MOST_BATCH:,}) or streams=1,2,4 (at most {_MOST_STREAMS}).",
            )
        kind: SweepKind = "batch" if name.strip() == "batch" else "streams"
        if kind in found:
            raise InputError(f"--sweep {kind} was given twice.", hint=f"Write --sweep {kind}=1,2,4 once.")
        found[kind] = tuple(dict.fromkeys(values))
    return found
