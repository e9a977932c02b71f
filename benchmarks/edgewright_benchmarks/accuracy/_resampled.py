"""Metrics of all samples together that no formula bounds, such as rank correlations: by resampling samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._scorer import NO_DROP
from edgewright_benchmarks.result import Accuracy, Interval
from edgewright_benchmarks.statistics.intervals import least_bound, samples_within

_RESAMPLES = 400
# Values of resamples that are in memory at once.
_BLOCK = 1 << 20

# (rows, samples) indices of samples -> a value a row.
Resampled = Callable[[NDArray[np.int64]], NDArray[np.float64]]


def resampled_accuracy(
    name: str,
    engine: Resampled,
    baseline: Resampled | None,
    samples: int,
    *,
    span: float,
    max_drop: float | None,
    others: dict[str, Interval],
) -> Accuracy:
    """A metric with its interval, and its drop against the baseline's on the same resamples.

    The upper bound of the drop is the one-sided 95 % percentile of the bootstrap, and never nearer than what samples
    unlike all that were seen could add, see `mean_drop`: engines that differ nowhere have no spread.

    Args:
        name: Of the metric.
        engine: The metric of resamples of the engine's answers.
        baseline: The same of the baseline's; None where the engine is the baseline.
        samples: How many there are.
        span: The most that one sample can lose, in units of the metric over the number of samples.
        max_drop: The budget, see `Scorer.score`.
        others: Further metrics.
    """
    whole = np.arange(samples)[None]
    value = float(engine(whole)[0])
    draws = _draws(engine, samples)
    # Where all are right, resampling would claim certainty.
    low, high = np.quantile(draws, [0.025, 0.975])
    unseen = span * least_bound(samples, confidence=0.975)
    interval = Interval(value, min(float(low), value - unseen), max(value, float(high)))
    metrics = {name: interval, **others}
    if baseline is None:
        return Accuracy(metrics, NO_DROP, samples)
    drop = float(baseline(whole)[0]) - value
    losses = _draws(baseline, samples) - draws
    low, high = np.quantile(losses, [0.05, 0.95]) - drop

    def bound(width: float, towards: float, count: int) -> float:
        return max(width * math.sqrt(samples / count), least_bound(count) * (span - towards), 0.0)

    found = Interval(
        drop, drop - bound(-float(low), -drop, samples), drop + bound(float(high), drop, samples), confidence=0.95
    )
    needed = None
    if max_drop is not None:
        needed = samples_within(lambda count: drop + bound(float(high), drop, count), drop, samples, max_drop)
    return Accuracy(metrics, found, samples, needed)


def _draws(metric: Resampled, samples: int) -> NDArray[np.float64]:
    """The metric of resamples; the same seed gives the same samples, so that two engines can be subtracted."""
    random = np.random.default_rng(0)
    sizes = _blocks(samples, _RESAMPLES)
    return np.concatenate([metric(random.integers(samples, size=(size, samples))) for size in sizes])


def resampled_counts(samples: int, resamples: int) -> Iterator[NDArray[np.int64]]:
    """How often each sample is drawn in each resample, in blocks of shape (resamples, samples); the same each time."""
    random = np.random.default_rng(0)
    for size in _blocks(samples, resamples):
        yield random.multinomial(samples, np.full(samples, 1 / samples), size=size)


def _blocks(samples: int, resamples: int) -> list[int]:
    """So many resamples at once that their values fit in memory."""
    rows = max(1, _BLOCK // samples)
    return [min(rows, resamples - start) for start in range(0, resamples, rows)]
