"""What changed of one figure, and how a change comes of readings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.statistics.log_means import WIDEST, log_mean, log_ratio

# Of an interval, in any unit: only where nothing is known is an end beyond it.
_ENDLESS: Final = math.exp(WIDEST - 10)


@dataclass(frozen=True, kw_only=True)
class FigureChange:
    """One figure of both sides.

    Attributes:
        figure: Its name.
        base: Of the base.
        new: Of the new side.
        difference: New less base, in the unit of the figure.
        change: The difference over the base; None where the base is zero.
        count: Rounds, loads, cold starts or samples that it rests on, of the side with fewer; 0 where it is read once.
        calls: Calls that were timed, of the side with fewer; 0 for other figures.
        paired: Both sides were read in the same rounds, or on the same samples.
        shift: By which factor the machine moved between two runs: the difference and the change are wider by it on
            both sides, however much is measured; 1 where nothing is added.
    """

    figure: str
    base: Interval
    new: Interval
    difference: Interval
    change: Interval | None
    count: int = 0
    calls: int = 0
    paired: bool = False
    shift: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """How the readings of both sides belong together.

    Attributes:
        rounds: They took turns in the same rounds.
        samples: They answered the same samples.
        drop: Of the first metric, new against base, where the meter compared the predictions themselves.
        shift: By which factor, at least 1, the float baseline's own latency differs between two runs; 1 for one run.
        confidence: Of intervals, two-sided; of a drop that is paired each bound has it.
    """

    rounds: bool
    samples: bool
    drop: Interval | None = None
    shift: float = 1.0
    confidence: float = 0.95


def less_one(ratio: Interval) -> Interval:
    """A ratio as a relative change."""
    return replace(ratio, value=ratio.value - 1, low=ratio.low - 1, high=ratio.high - 1)


def end_texts(interval: Interval, text: Callable[[float], str]) -> tuple[str, str]:
    """Both ends of an interval for people; where nothing is known beyond, that there is none.

    >>> end_texts(Interval(1.0, 0.5, math.inf), str)
    ('0.5', 'no upper end')
    """
    low = text(interval.low) if interval.low > -_ENDLESS else "no lower end"
    return low, text(interval.high) if interval.high < _ENDLESS else "no upper end"


def means_change(name: str, base: Sequence[float], new: Sequence[float], pairing: Pairing) -> FigureChange:
    """Welch's interval of the difference of the means of logarithms: loads, starts and runs differ by factors.

    Args:
        name: Of the figure.
        base: Readings of the base, all above zero.
        new: Of the new side.
        pairing: Gives the confidence, and the shift that the interval is wider by.
    """
    sides = log_mean(base, confidence=pairing.confidence), log_mean(new, confidence=pairing.confidence)
    count = min(len(base), len(new))
    if count < 2:
        # What one start says of the next is not known: nothing is decided by it.
        lone = [Interval(value, value, value) for value in (sides[0].value, sides[1].value)]
        ratio = lone[1].value / lone[0].value
        return change_from_ratio(name, lone[0], lone[1], Interval(ratio, ratio, ratio), count)
    found = log_ratio(base, new, confidence=pairing.confidence)
    wider = replace(found, low=found.low / pairing.shift, high=found.high * pairing.shift)
    return replace(change_from_ratio(name, *sides, wider, count), shift=pairing.shift)


def change_from_ratio(name: str, base: Interval, new: Interval, ratio: Interval, count: int) -> FigureChange:
    """A change whose figures and ratio have intervals of their own; the base is above zero."""
    difference = Interval(
        new.value - base.value, base.value * (ratio.low - 1), base.value * (ratio.high - 1), ratio.confidence
    )
    return FigureChange(figure=name, base=base, new=new, difference=difference, change=less_one(ratio), count=count)
