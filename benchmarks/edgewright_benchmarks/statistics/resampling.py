"""The bootstrap, once for all: which samples are drawn, and the percentiles of what comes of it.

The same seed draws the same samples, so that two engines on the same resamples can be subtracted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.engine_result import Interval

Floats = NDArray[np.float64]
# Indices of samples, shape (resamples, samples), or how often each is drawn -> a value for each resample that has one.
Statistic = Callable[[NDArray[np.int64]], Floats]

# Values of resamples that are in memory at once.
_BLOCK = 1 << 20


def resampled_rows(samples: int, resamples: int, *, seed: int = 0) -> Iterator[NDArray[np.int64]]:
    """Indices of the samples that are drawn, in blocks of shape (resamples, samples)."""
    random = np.random.default_rng(seed)
    for size in _blocks(samples, resamples):
        yield random.integers(samples, size=(size, samples))


def resampled_counts(samples: int, resamples: int, *, seed: int = 0) -> Iterator[NDArray[np.int64]]:
    """How often each sample is drawn in each resample, in blocks of shape (resamples, samples)."""
    random = np.random.default_rng(seed)
    for size in _blocks(samples, resamples):
        yield random.multinomial(samples, np.full(samples, 1 / samples), size=size)


def _blocks(samples: int, resamples: int) -> list[int]:
    """So many resamples at once that their values fit in memory."""
    rows = max(1, _BLOCK // samples)
    return [min(rows, resamples - start) for start in range(0, resamples, rows)]


def bootstrap(
    value: float, statistic: Statistic, samples: int, *, resamples: int, of_counts: bool = False, seed: int = 0
) -> Interval:
    """A value with its two-sided percentile bootstrap interval of 95 % over samples.

    Args:
        value: Of all samples.
        statistic: Gives the values of resamples; a resample of which there is none is left out.
        samples: How many there are.
        resamples: How many are drawn.
        of_counts: The statistic takes how often each sample is drawn, and not the indices.
        seed: Decides what is drawn.
    """
    drawn = (resampled_counts if of_counts else resampled_rows)(samples, resamples, seed=seed)
    return around(value, np.concatenate([statistic(block) for block in drawn]))


def around(value: float, drawn: Floats, *, confidence: float = 0.95) -> Interval:
    """A value with the percentiles of its resamples; 0 to 1 where there are none.

    A resample misses rare classes more often than it adds them, so the value may stick out of its own percentiles.
    """
    low, high = percentiles(drawn, confidence) if drawn.size else (0.0, 1.0)
    return Interval(value, min(value, low), max(value, high), confidence)


def percentiles(drawn: Floats, confidence: float) -> tuple[float, float]:
    """The two-sided interval of the values of resamples."""
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
