"""Find a task in a list by its name. Both rooms with tasks use it, so it imports nothing of either."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from edgewright_targets import InputError, nearest


class Named(Protocol):
    """An entry of a list that is searched by name."""

    @property
    def name(self) -> str:
        """The name on the command line."""


T = TypeVar("T", bound=Named)


def find_by_name(tasks: Sequence[T], name: str) -> T:
    """The task called `name`.

    Raises:
        InputError: There is no task of that name.
    """
    for task in tasks:
        if task.name == name:
            return task
    raise InputError(f"Unknown task '{name}'.", hint=nearest(name, (task.name for task in tasks)))
