"""Bounds in figures: an upper one is rounded up, a lower one down, so that what is read of a bound holds.

One rule for the decision's sentences, the command line and the report.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from edgewright_benchmarks.statistics.confidence import LEAST_CONFIDENCE, MOST_CONFIDENCE

# Takes a value and decimals; gives a number that needs no more of them.
Rounding = Callable[[float, int], float]
# Of the last decimal: what a number gains or loses on its way through binary fractions.
_NOISE: Final = 1e-6
_MOST_DECIMALS: Final = 6
# From here on tenths of a percent count.
_NEARLY_SURE: Final = 0.99


def nearest(value: float, decimals: int) -> float:
    """An estimate."""
    return round(value, decimals)


def upper(value: float, decimals: int) -> float:
    """An upper bound.

    >>> upper(1.04, 1), upper(1.0, 1), upper(-0.123, 2)
    (1.1, 1.0, -0.12)
    """
    return -lower(-value, decimals)


def lower(value: float, decimals: int) -> float:
    """A lower bound.

    >>> lower(0.999, 2), lower(1.2, 1)
    (0.99, 1.2)
    """
    if not math.isfinite(value):
        return value
    return math.floor(value * 10.0**decimals + _NOISE) / 10.0**decimals


def significant(value: float, digits: int = 3, rounding: Rounding = nearest) -> str:
    """`value` with so many significant digits, never in scientific notation, thousands separated.

    >>> significant(0.00087), significant(2.1), significant(1234.5)
    ('0.000870', '2.10', '1,234')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{rounding(value, decimals):,.{decimals}f}"


def apart(value: float, limit: float, decimals: int, rounding: Rounding = nearest) -> str:
    """`value` with so many decimals, or more where rounded it would be equal to the limit, or beyond it, and is not."""
    while (
        value != limit
        and decimals < _MOST_DECIMALS
        and (
            nearest(value, decimals) == nearest(limit, decimals)
            or (rounding(value, decimals) > limit) != (value > limit)
        )
    ):
        decimals += 1
    return f"{rounding(value, decimals):z.{decimals}f}"


def span(low: float, high: float, limit: float, decimals: int) -> str:
    """Both bounds of an interval: `0.98 to 1.001`."""
    return f"{apart(low, limit, decimals, lower)} to {apart(high, limit, decimals, upper)}"


def asked_confidence(surest: float) -> str:
    """The largest confidence that may be asked for where something is this sure, rounded down; empty where none is.

    >>> from edgewright_benchmarks.statistics.bounds import asked_confidence
    >>> asked_confidence(0.9477), asked_confidence(0.99761), asked_confidence(0.45)
    ('94%', '99.7%', '')
    """
    percent = lower(100 * min(surest, MOST_CONFIDENCE), 1 if surest >= _NEARLY_SURE else 0)
    return f"{percent:g}%" if percent > 100 * LEAST_CONFIDENCE else ""


def points_at_most(share: float, budget: float = math.inf) -> str:
    """An upper bound of a share in percentage points, with as many decimals as it takes to tell it from the budget."""
    return apart(100 * share, 100 * budget, 1, upper)
