"""Engines that run take turns at something, so that a machine that slows down slows all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.progress import Progress

Turn = TypeVar("Turn")


def running_engines(readings: Mapping[str, Readings], among: Iterable[str] | None = None) -> list[str]:
    """Names of engines that have not failed.

    Args:
        readings: Of all engines.
        among: Only of these; None is all of them.
    """
    return [name for name in (readings if among is None else among) if readings[name].failure is None]


def take_turns(
    names: Sequence[str], turns: Sequence[Turn], step: Callable[[str, Turn], bool], title: str, progress: Progress
) -> None:
    """In each turn every engine makes one step, until a step of it says that it does not go on.

    >>> from edgewright_benchmarks.measuring.turns import take_turns
    >>> from edgewright_benchmarks.progress import Quiet
    >>> made = []
    >>> take_turns(["a", "b"], [1, 2], lambda *one: made.append(one) or one != ("a", 1), "timing", Quiet())
    >>> made
    [('a', 1), ('b', 1), ('b', 2)]

    Args:
        names: The engines.
        turns: What each turn is given.
        step: Of one engine in one turn; whether the engine takes part in the next.
        title: For the progress.
        progress: Told of every step, and of those that are left out.
    """
    bar = progress.bar(title, len(turns) * len(names))
    going_on = set(names)
    for turn in turns:
        for name in names:
            if name in going_on and not step(name, turn):
                going_on.remove(name)
            bar.update()
    bar.close()
