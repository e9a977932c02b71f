"""Finding a task in a list by its name. Light: the lists of both rooms use it, and need nothing of one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from edgewright_targets import InputError, nearest


class Named(Protocol):
    """What a list of tasks is searched by."""

    @property
    def name(self) -> str:
        """As on the command line."""


T = TypeVar("T", bound=Named)


def named(tasks: Sequence[T], name: str) -> T:
    """The one of `tasks` that is called `name`.

    Raises:
        InputError: None is.
    """
    for task in tasks:
        if task.name == name:
            return task
    raise InputError(f"Unknown task '{name}'.", hint=nearest(name, (task.name for task in tasks)))
