"""Lengths of time as people write them: `90s`, `10m`, `1.5h`."""

from __future__ import annotations

import re
from typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_TIME: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smh])")


def read_duration(text: str) -> float | None:
    """Seconds of a length of time; None where the text is not one.

    >>> from edgewright_benchmarks.durations import read_duration
    >>> read_duration("10m"), read_duration("1.5h"), read_duration("10")
    (600.0, 5400.0, None)
    """
    found = _TIME.fullmatch(text)
    return None if found is None else float(found.group(1)) * _SECONDS[found.group(2)]


def duration_text(seconds: float) -> str:
    """A length of time, exactly, in the largest unit that it is a whole number of.

    >>> from edgewright_benchmarks.durations import duration_text
    >>> duration_text(600.0), duration_text(90.0)
    ('10m', '90s')
    """
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
