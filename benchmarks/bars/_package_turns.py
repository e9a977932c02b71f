"""Engines of different packages in turns: each in a process of its own, on the same samples, as a person calls them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from _bars import Rounds, alternate
from _package import running_engine
from edgewright_benchmarks.bench import read_samples
from edgewright_benchmarks.devices.engine_worker import EngineWorker
from edgewright_benchmarks.devices.here import ThisMachine
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_runtime import Package

# A round of an engine, as long as the meter's.
_ROUND_SECONDS = 0.25
_SAMPLES = 64


def time_packages(packages: Mapping[str, Path], data: Path, rounds: int) -> dict[str, Rounds]:
    """Seconds of calls of the engine that each package runs here, round by round.

    Args:
        packages: Name of a side to its package; all are of one model.
        data: Samples that all are called with.
        rounds: In which the sides take turns.
    """
    opened = {name: Package.open(path) for name, path in packages.items()}
    some = read_samples(next(iter(opened.values())), data, MeterSettings(samples=_SAMPLES)).samples
    with contextlib.ExitStack() as stack:
        workers: dict[str, EngineWorker] = {}
        for name, package in opened.items():
            workers[name] = stack.enter_context(ThisMachine().worker())
            workers[name].keep(some)
            workers[name].load(package.root, running_engine(package).name, None)
        once = [sorted(worker.time(range(5)).seconds)[2] for worker in workers.values()]
        calls = max(1, min(len(some), round(_ROUND_SECONDS / max(once))))
        indices = range(calls)
        return alternate(
            {name: lambda worker=worker: list(worker.time(indices).seconds) for name, worker in workers.items()},  # type: ignore[misc]
            rounds,
        )


@contextlib.contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """So many programs beside that compute all the time, as other work of a device does."""
    beside = [subprocess.Popen([sys.executable, "-c", "while True: sum(range(10000))"]) for _ in range(count)]
    try:
        yield
    finally:
        for one in beside:
            one.kill()
            one.wait()
