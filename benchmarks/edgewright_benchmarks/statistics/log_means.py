"""Means of times and rates, which differ by factors: the mean of their logarithms, with Student's t intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.statistics.paired import student_quantile

# Of a logarithm: beyond it nothing is known, and its exponential would overflow.
WIDEST: Final = 50.0


def log_mean(values: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """The geometric mean of readings with its interval; one reading has an interval without width.

    >>> from edgewright_benchmarks.statistics.log_means import log_mean
    >>> round(log_mean([1.0, 100.0]).value, 9)
    10.0

    Args:
        values: One reading each, at least one, all above zero.
        confidence: Of the interval, two-sided.
    """
    logs = np.log(np.asarray(values))
    freedom = logs.size - 1
    return _interval(float(logs.mean()), _error(logs) if freedom else 0.0, freedom, confidence)


def log_ratio(base: Sequence[float], new: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """The ratio of two geometric means, new over base, with Welch's interval; at least two readings of each.

    Args:
        base: Readings, all above zero.
        new: Of the other side, independent of the base.
        confidence: Of the interval, two-sided.
    """
    before, after = (np.log(np.asarray(side)) for side in (base, new))
    errors = (_error(before), before.size - 1), (_error(after), after.size - 1)
    total = sum(error for error, _ in errors)
    freedom = total**2 / sum(error**2 / count for error, count in errors) if total else 1.0
    return _interval(float(after.mean() - before.mean()), total, freedom, confidence)


def _error(logs: NDArray[np.float64]) -> float:
    """The squared standard error of a mean."""
    return float(logs.var(ddof=1)) / logs.size


def _interval(middle: float, error: float, freedom: float, confidence: float) -> Interval:
    width = min(WIDEST, student_quantile((1 + confidence) / 2, freedom) * math.sqrt(error)) if error else 0.0
    mean = math.exp(middle)
    return Interval(mean, mean / math.exp(width), mean * math.exp(width), confidence)
