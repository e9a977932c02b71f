"""Texts to one text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues


class Join:
    """The texts of a list, one behind the other; those that are missing are left out.

    Args:
        separator: What stands between two.
    """

    def __init__(self, *, separator: str = " ") -> None:
        self._separator = separator

    def __call__(self, values: NamedValues) -> str:
        """The whole text."""
        return self._separator.join(text for text in values["texts"] if text is not None)
