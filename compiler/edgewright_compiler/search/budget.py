"""How much of a search is left: its time, or its engines. What is taken from the cache costs nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from edgewright_compiler.building.search_bound import SearchBound

# An engine is made and seen on calibration samples; it is measured on those that count; facts are found.
Work = Literal["screen", "prove", "facts"]


class SpentError(Exception):
    """Nothing is left for another step.

    Attributes:
        ended: Which bound was reached.
    """

    def __init__(self, ended: Literal["time", "engines"]) -> None:
        super().__init__(ended)
        self.ended = ended


class SearchBudget:
    """What is left of a search.

    A step is begun where those of its kind before, scaled to its engines, say that it ends in time. It is not cut off.

    Args:
        bound: As it was asked.
        made: How many stages were made anew so far: a step in which none is costs nothing.
        proof_seconds: What a measurement of one engine beside the float one takes, as the plain build had it.
        ending_seconds: What comes after the last step, in which the winner is timed anew.
        clock: Seconds that pass.
    """

    def __init__(
        self,
        bound: SearchBound,
        made: Callable[[], int],
        proof_seconds: float,
        ending_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bound = bound
        self._made = made
        self._clock = clock
        self._ending = ending_seconds
        # Until a step was seen: fewer rounds and samples than a proof, but the engine is made first.
        self._unseen: dict[Work, float] = {"prove": proof_seconds, "screen": proof_seconds / 2, "facts": proof_seconds}
        # Of each step that was seen, as if it had one engine.
        self._seen: dict[Work, list[float]] = {}
        self.seconds = 0.0
        self.engines = 0

    def most(self, work: Work, engines: int = 1) -> int:
        """With how many engines, at least one and at most so many, a step of this kind ends within the bound.

        A proof is kept in reserve: what was found last is measured before the time is over.

        Raises:
            SpentError: Not even with one.
        """
        if self._bound.engines is not None:
            left = self._bound.engines - self.engines if work == "screen" else engines
            if left < 1:
                raise SpentError("engines")
            return min(left, engines)
        assert self._bound.seconds is not None
        reserve = self._ending + (self._expected("prove", 1) if work != "prove" else 0.0)
        left_seconds = self._bound.seconds - self.seconds - reserve
        for count in range(engines, 0, -1):
            if self._expected(work, count) <= left_seconds:
                return count
        raise SpentError("time")

    def _expected(self, work: Work, engines: int) -> float:
        """Seconds of a step: as the last one of its kind took, or as all took in the mean, whichever is more."""
        seen = self._seen.get(work)
        one = max(seen[-1], sum(seen) / len(seen)) if seen else self._unseen[work]
        return one * _engines_measured(engines) / _engines_measured(1)

    @contextmanager
    def step(self, work: Work, engines: int = 1) -> Iterator[None]:
        """A block that does one step with so many engines; where all of it is in the cache, it costs nothing."""
        start, made = self._clock(), self._made()
        yield
        spent = self._clock() - start
        if self._made() > made:
            self.seconds += spent
            self._seen.setdefault(work, []).append(spent * _engines_measured(1) / _engines_measured(engines))

    def left(self) -> str:
        """What is left, for people."""
        if self._bound.engines is not None:
            return f"{self._bound.engines - self.engines} engines left"
        assert self._bound.seconds is not None
        left = max(0.0, self._bound.seconds - self.seconds)
        return f"{left / 60:.0f} min left" if left >= 120 else f"{left:.0f} s left"


def _engines_measured(engines: int) -> int:
    """With the float engine, which is measured beside them each time."""
    return engines + 1
