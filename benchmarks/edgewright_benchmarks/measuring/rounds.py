"""Engines take turns: in a round each is timed on the same samples while the others idle."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.devices.engine_worker import EngineWorker, WorkerError
from edgewright_benchmarks.measuring.busy_programs import busy_words
from edgewright_benchmarks.measuring.meter_settings import MeterSettings, looks
from edgewright_benchmarks.measuring.readings import Readings, recording
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.percentiles import latency_draws
from edgewright_runtime.samples import size_of

# A round is long enough that waking threads after a pause does not show, and short enough to come round often.
_ROUND_SECONDS = 0.25
# Fewer are not compared with one another.
_FEWEST_ROUNDS = 2


def calls_of_a_round(workers: Mapping[str, EngineWorker], count: int) -> int:
    """Calls that take a quarter of a second on the first engine that runs, of `count` samples."""
    for worker in workers.values():
        with contextlib.suppress(WorkerError):
            seconds = float(np.median(worker.time(range(min(count, 16))).seconds))
            return calls_that_fit(seconds)
    return 4


def calls_that_fit(seconds: float) -> int:
    """Calls of so many seconds that take a quarter of a second together, at least 4 and at most 500."""
    return int(np.clip(_ROUND_SECONDS / max(seconds, 1e-6), 4, 500))


def narrow_enough(until: float) -> Callable[[Mapping[str, Readings]], bool]:
    """Whether the medians of all engines have intervals of 95 % within a share of them on both sides.

    >>> from edgewright_benchmarks.measuring.readings import Readings
    >>> from edgewright_benchmarks.measuring.rounds import narrow_enough
    >>> from edgewright_runtime.responses import Timed
    >>> rounds = tuple(Timed((seconds,) * 9, 1.0) for seconds in (0.9, 1.0, 1.1) * 5)
    >>> narrow_enough(0.2)({"a": Readings(rounds=rounds)}), narrow_enough(0.01)({"a": Readings(rounds=rounds)})
    (True, False)
    """

    def enough(readings: Mapping[str, Readings]) -> bool:
        running = [found for found in readings.values() if found.failure is None and found.rounds]
        intervals = [latency_draws(found.seconds_alone).interval("p50") for found in running]
        return all(max(one.high - one.value, one.value - one.low) <= until * one.value for one in intervals)

    return enough


def time_in_rounds(
    workers: Mapping[str, EngineWorker],
    readings: dict[str, Readings],
    samples: Sequence[Any],
    calls: int,
    settings: MeterSettings,
    progress: Progress,
    *,
    beside: bool = False,
    enough: Callable[[Mapping[str, Readings]], bool] | None = None,
) -> None:
    """Add rounds to the readings of engines that run; see `read_engines` for `enough`."""
    if enough is None or beside:
        # As many as alone.
        totals: tuple[int, ...] = (max(len(found.rounds) for found in readings.values()) or settings.rounds,)
    else:
        totals = looks(settings)
    random = np.random.default_rng(settings.seed)
    by_size = np.argsort([size_of(sample) for sample in samples], kind="stable")
    title = f"timing beside {busy_words(settings.beside)}" if beside else "timing in rounds"
    bar = progress.bar(title, totals[0] * len(workers))
    started = time.perf_counter()
    for done in range(totals[-1]):
        if enough is not None and not beside:
            late = settings.most_seconds and time.perf_counter() - started > settings.most_seconds
            if (late and done >= _FEWEST_ROUNDS) or (done in totals and enough(readings)):
                break
        if enough is not None and done in totals:
            bar.close()
            bar = progress.bar(
                f"{title}, to be sure", (next(one for one in totals if one > done) - done) * len(workers)
            )
        indices = samples_alike(by_size, calls, random)
        # A new order each round, so that no engine always runs after the same neighbour.
        for name in random.permutation(list(workers)).tolist():
            if readings[name].failure is None:
                with recording(readings, name):
                    found, timed = readings[name], workers[name].time(indices)
                    if beside:
                        readings[name] = replace(
                            found, rounds_beside=(*found.rounds_beside, timed), beside=settings.beside
                        )
                    else:
                        readings[name] = replace(found, rounds=(*found.rounds, timed))
            bar.update()
    bar.close()


def samples_alike(by_size: NDArray[np.int64], calls: int, random: np.random.Generator) -> list[int]:
    """Indices of the samples of a round: others in each, yet of the same sizes, every n-th from shortest to longest.

    A round of short texts beside one of long texts would look like an unsteady machine.

    Args:
        by_size: Indices of all samples, the shortest first.
        calls: How many a round has.
        random: Decides which.
    """
    positions = ((np.arange(calls) + random.random()) * len(by_size) / calls).astype(np.int64)
    return [int(index) for index in random.permutation(by_size[positions])]
