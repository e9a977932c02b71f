"""The highest rate that is kept, found in few runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# Both ends this near to one another end the search: nearer, a run of seconds would not tell them apart.
CLOSENESS: Final = 0.05
_MOST_RUNS: Final = 10
_GROWTH: Final = 1.5


@dataclass(frozen=True)
class RateFound:
    """The highest rate that was kept and the lowest that was not; None where there was none."""

    kept: float | None
    refused: float | None


def highest_rate(keeps: Callable[[float], bool], start: float, *, most_runs: int = _MOST_RUNS) -> RateFound:
    """Bisect, on a scale of factors, after a rate that is kept and one that is not were found.

    >>> from edgewright_benchmarks.scenarios.search import highest_rate
    >>> found = highest_rate(lambda rate: rate < 130, 50.0)
    >>> found.kept < 130 <= found.refused < 1.05 * found.kept
    True
    >>> highest_rate(lambda rate: False, 8.0, most_runs=3)
    RateFound(kept=None, refused=2.0)

    Args:
        keeps: Runs at a rate; whether it is kept.
        start: The first rate.
        most_runs: After so many it ends, wherever it is.
    """
    kept: float | None = None
    refused: float | None = None
    rate = start
    for _ in range(most_runs):
        if keeps(rate):
            kept = rate
        else:
            refused = rate
        if kept is None:
            rate /= 2
        elif refused is None:
            rate *= _GROWTH
        elif refused <= (1 + CLOSENESS) * kept:
            break
        else:
            rate = math.sqrt(kept * refused)
    return RateFound(kept, refused)
