"""Numbers and words as people read them, the same in the page, the charts and the table."""

from __future__ import annotations

from typing import Final

from edgewright_benchmarks.engine_result import Interval, Status
from edgewright_benchmarks.metrics import SHARE
from edgewright_benchmarks.result import Measure
from edgewright_benchmarks.statistics.bounds import Rounding, lower, nearest, significant, upper
from edgewright_targets import Rung

NOTHING: Final = "\N{EN DASH}"
NOT_MEASURED: Final = "not measured"
MINUS: Final = "\N{MINUS SIGN}"
# A number is not parted from its unit at the end of a line.
_UNIT_SPACE: Final = "\N{NO-BREAK SPACE}"

RUNGS: Final[dict[Rung, str]] = {
    "measured": "ran on this hardware",
    "emulated": "ran on a bit-true emulator of the hardware: predictions are valid, times are not",
    "compiled": "the vendor's compiler accepted it; it was not run",
    "declared": "nothing was checked",
}

# Shapes, so that a reader who sees no colour (or prints) can tell them apart; the charts draw the same ones.
MARKERS: Final[dict[Status | str, str]] = {
    "baseline": "□",
    "accepted": "○",
    "chosen": "◆",
    "refused": "\N{MULTIPLICATION SIGN}",
    "failed": NOTHING,
    "unfinished": NOTHING,
    "elsewhere": NOTHING,
}


def drop_word(measure: Measure) -> str:
    """The name of a drop of this measure."""
    return "Loss of agreement" if measure == "agreement" else "Accuracy drop"


def milliseconds(seconds: float, rounding: Rounding = nearest) -> str:
    """Seconds as milliseconds: `0.880 ms`."""
    return f"{significant(seconds * 1000, rounding=rounding)}{_UNIT_SPACE}ms"


def milliseconds_span(interval: Interval) -> str:
    """An interval of seconds, rounded outwards: `0.871 to 0.884 ms`."""
    return f"{significant(interval.low * 1000, rounding=lower)} to {milliseconds(interval.high, upper)}"


def rate_span(interval: Interval) -> str:
    """An interval of calls a second, rounded outwards: `1,130 to 1,150/s`."""
    return f"{significant(interval.low, rounding=lower)} to {significant(interval.high, rounding=upper)}/s"


def percent(share: float) -> str:
    """A share as percent: `98.20%`."""
    return SHARE.text(share, nearest)


def points(share: float) -> str:
    """A difference of shares in percentage points, with a true minus sign: `0.20`."""
    text = f"{share * 100:.2f}"
    return text.replace("-", MINUS) if float(text) else "0.00"


def points_bound(share: float) -> str:
    """An upper bound in percentage points, rounded up: a bound above the budget must not read as equal to it."""
    return points(upper(share * 100, 2) / 100)


def budget(share: float) -> str:
    """The budget in percentage points, as exactly as it was given, with at least two decimals."""
    exact = f"{share * 100:.10g}"
    rounded = f"{share * 100:.2f}"
    return rounded if float(rounded) == float(exact) else exact


def megabytes(size: int) -> str:
    """Bytes as decimal megabytes: `3.41 MB`."""
    return f"{significant(size / 1e6)}{_UNIT_SPACE}MB"


def confidence(interval: Interval) -> str:
    """`95%`."""
    return f"{interval.confidence * 100:g}%"


def speed(ratio: Interval) -> Interval:
    """How many times as fast as the baseline, from a ratio of latencies."""
    return Interval(1 / ratio.value, 1 / ratio.high, 1 / ratio.low, ratio.confidence)


def times(value: float, rounding: Rounding = nearest) -> str:
    """A factor, with the sign for times."""
    return f"{significant(value, rounding=rounding)}\N{MULTIPLICATION SIGN}"


def times_span(interval: Interval) -> str:
    """The interval of a factor."""
    return f"{times(interval.low, lower)} to {times(interval.high, upper)}"


def shortened(name: str, length: int) -> str:
    """`name` with its middle left out where it is longer than `length`: targets differ at the front, recipes behind."""
    if len(name) <= length:
        return name
    half = (length - 1) // 2
    return f"{name[: length - 1 - half]}…{name[-half:]}"
