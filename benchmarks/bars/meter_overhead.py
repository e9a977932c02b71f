"""Bar: the meter adds less than 1 % to a call, or less than 20 microseconds.

Both sides call one model in the worker's own code and process, in turns on the same samples: a bare loop around the
calls, timed in blocks, and the meter's readings, which time each call and ask how busy the processor was.

    python benchmarks/bars/meter_overhead.py --package demo/intents.ortpackage --data demo/data/test.csv
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from _bars import Figure, Rounds, figure, main, median_interval, verdict
from _package import running_engine
from edgewright_benchmarks.bench import read_samples
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.statistics.bounds import lower, upper
from edgewright_runtime import Package
from edgewright_runtime.wire import pack_samples
from edgewright_runtime.worker import Worker
from edgewright_targets import InputError

LIMIT = 1.01
LIMIT_MICROSECONDS = 20.0
ROUNDS = 120
# A turn is short, so that what changes about the machine changes for both sides of a round.
_TURN_SECONDS = 0.1
_SAMPLES = 64
# The bare loop is timed in blocks of so many calls: the median of blocks is not moved by a program that interrupts one.
_BLOCK = 4


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    metered, bare = _read(Path(options.package), Path(options.data), options.rounds or ROUNDS)
    pairs = zip(metered, bare, strict=True)
    extra = median_interval([1e6 * (statistics.median(one) - statistics.median(other)) for one, other in pairs])
    note = f"{extra.value:+.1f} us ({lower(extra.low, 1):+.1f} to {upper(extra.high, 1):+.1f})"
    held = figure("meter", "a reading of the meter / a call in a bare loop", metered, bare, LIMIT, note)
    if verdict(extra, LIMIT_MICROSECONDS) == "pass":
        held = dataclasses.replace(held, verdict="pass")
    return [held]


def _read(path: Path, data: Path, rounds: int) -> tuple[Rounds, Rounds]:
    """Seconds of a call by both sides, means of a few calls, round by round."""
    package = Package.open(path)
    samples = read_samples(package, data, MeterSettings(samples=_SAMPLES)).samples
    worker = Worker()
    entries, arrays = pack_samples(list(samples))
    _ask(worker, {"op": "samples", "samples": entries}, arrays)
    _ask(worker, {"op": "load", "package": str(path), "engine": running_engine(package).name})
    probe = worker._loaded()  # noqa: SLF001 - the bare loop calls the very model that the meter times
    once = _mean(_ask(worker, {"op": "time", "indices": list(range(len(samples)))})["seconds"])
    indices = list(range(_BLOCK * max(1, min(len(samples), round(_TURN_SECONDS / once)) // _BLOCK)))
    blocks = [indices[start : start + _BLOCK] for start in range(0, len(indices), _BLOCK)]

    def metered() -> list[float]:
        seconds = _ask(worker, {"op": "time", "indices": indices})["seconds"]
        return [_mean(seconds[block[0] : block[-1] + 1]) for block in blocks]

    def bare() -> list[float]:
        # As the meter does: one call that is not counted.
        probe.call_for_timing(samples[0])
        found = []
        for block in blocks:
            start = time.perf_counter()
            for index in block:
                probe.call_for_timing(samples[index])
            found.append((time.perf_counter() - start) / len(block))
        return found

    sides = {"metered": metered, "bare": bare}
    found: dict[str, Rounds] = {name: [] for name in sides}
    order = random.Random(0)
    with machine_to_itself(Quiet()):
        for _ in range(rounds):
            for name in order.sample(list(sides), len(sides)):
                found[name].append(sides[name]())
    return found["metered"], found["bare"]


def _ask(worker: Worker, message: dict[str, Any], arrays: Mapping[str, Any] | None = None) -> dict[str, Any]:
    answer, _ = worker.handle(message, dict(arrays or {}))
    if not answer["ok"]:
        raise InputError(f"The worker failed: {answer['error']}")
    return answer


def _mean(seconds: Sequence[float]) -> float:
    return sum(seconds) / len(seconds)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this bar."""
    parser.add_argument("--data", default="demo/data/test.csv", help="samples (default: %(default)s)")


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], arguments))
