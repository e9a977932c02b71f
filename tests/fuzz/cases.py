"""Cases by number: which input is mutated how follows from the seed and the number alone."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from random import Random

from fuzz.child import Outcome, copied, run_apart
from fuzz.room import Room
from fuzz.seeds import Seeds
from fuzz.subjects import SUBJECTS

_PAIRS = tuple((subject, operator) for subject in SUBJECTS for operator in SUBJECTS[subject].operators)
PAIRS = len(_PAIRS)


@dataclass(frozen=True)
class Case:
    """One mutation of one input.

    Attributes:
        seed: Of the run.
        number: Of the case, from 0.
    """

    seed: int
    number: int

    @property
    def subject(self) -> str:
        """A name in `SUBJECTS`."""
        return self._order[self.number % PAIRS][0]

    @property
    def operator(self) -> str:
        """One of its operators: all come once in so many cases as there are pairs, in another order each time."""
        return self._order[self.number % PAIRS][1]

    @property
    def _order(self) -> list[tuple[str, str]]:
        order = list(_PAIRS)
        Random(f"{self.seed}/{self.number // PAIRS}").shuffle(order)
        return order

    def run(self, seeds: Seeds, room: Room) -> Outcome:
        """Mutate and read it in a child."""
        subject = SUBJECTS[self.subject]

        def work() -> str:
            return subject.read(path, seeds, room)

        room.prepare()
        path = copied(seeds.folder / subject.seed, room)
        try:
            subject.operators[self.operator](Random(f"{self.seed}:{self.number}"), path, room)
        except Exception as error:  # noqa: BLE001 - told as what it is, with its number
            return Outcome(
                "harness", f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))[-3000:]
            )
        return run_apart(work, room)
