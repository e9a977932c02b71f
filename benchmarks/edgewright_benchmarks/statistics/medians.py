"""The interval of a median of readings that are independent of one another, such as those of fresh processes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from edgewright_benchmarks.interval import Interval


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The median with the readings between which it lies, whatever the distribution.

    The number of readings below the true median is binomial with one half (H. A. David and H. N. Nagaraja, Order
    Statistics, 3rd edition, 7.1). Fewer than 6 readings have no interval of 95 %: then it spans all of them, and its
    confidence is what so many give.

    >>> from edgewright_benchmarks.statistics.medians import median_interval
    >>> median_interval([5.0, 1.0, 4.0, 2.0, 3.0, 6.0, 7.0, 8.0])
    Interval(value=4.5, low=1.0, high=8.0, confidence=0.95)
    >>> median_interval([1.0, 3.0, 2.0])
    Interval(value=2.0, low=1.0, high=3.0, confidence=0.75)

    Args:
        values: One or more readings.
        confidence: What is asked for, 0..1.
    """
    ranked, count = sorted(values), len(values)
    cut, beyond = 0, 0.0
    while True:
        # The chance that the median lies outside of the readings that remain, if one more is cut off on both sides.
        beyond += math.comb(count, cut) / 2 ** (count - 1)
        if 2 * (cut + 1) >= count or 1 - beyond - math.comb(count, cut + 1) / 2 ** (count - 1) < confidence:
            break
        cut += 1
    sure = min(confidence, max(0.0, 1 - beyond))
    return Interval(statistics.median(ranked), ranked[cut], ranked[count - 1 - cut], sure)
