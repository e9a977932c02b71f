"""How far a search goes: a time, or a number of engines, as `--search` takes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgewright_benchmarks.durations import duration_text, read_duration
from edgewright_targets import InputError

_COUNT = re.compile(r"[0-9]+")


@dataclass(frozen=True, kw_only=True)
class SearchBound:
    """Where a search ends, unless it is finished before: one of the two is set.

    Attributes:
        seconds: So long, of new work: what was measured before and kept is not counted.
        engines: So many engines beyond those of a plain build.
    """

    seconds: float | None = None
    engines: int | None = None

    def share(self, targets: int) -> SearchBound:
        """The part of one of so many targets; at least one engine."""
        if self.engines is not None:
            return SearchBound(engines=max(1, -(-self.engines // targets)))
        return SearchBound(seconds=(self.seconds or 0.0) / targets)

    def without(self, *, seconds: float, engines: int) -> SearchBound:
        """What is left when so much of it was used."""
        if self.engines is not None:
            return SearchBound(engines=max(0, self.engines - engines))
        return SearchBound(seconds=max(0.0, (self.seconds or 0.0) - seconds))

    def __str__(self) -> str:
        if self.seconds is None:
            return "1 engine" if self.engines == 1 else f"{self.engines:,} engines"
        return duration_text(self.seconds)


def search_bound(text: str) -> SearchBound:
    """The bound that a text such as `10m`, `90s`, `1.5h` or `40` (engines) says.

        >>> from edgewright_compiler.building.search_bound import search_bound
        >>> search_bound("10m")
        SearchBound(seconds=600.0, engines=None)
        >>> str(search_bound("40"))
        '40 engines'

    Raises:
        InputError: It says neither a time nor a number, or nothing at all of either.
    """
    hint = "Say a time, such as 90s, 10m or 1h, or a number of engines, such as 40."
    if _COUNT.fullmatch(text):
        if int(text) == 0:
            raise InputError("A search of 0 engines tries nothing.", hint=f"{hint} Without --search, none is made.")
        return SearchBound(engines=int(text))
    seconds = read_duration(text)
    if seconds is None:
        raise InputError(f"--search: '{text}' is not a time or a number of engines.", hint=hint)
    if seconds == 0:
        raise InputError(f"A search of {text} tries nothing.", hint=f"{hint} Without --search, none is made.")
    return SearchBound(seconds=seconds)
