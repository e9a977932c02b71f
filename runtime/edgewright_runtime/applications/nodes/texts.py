"""Texts that an application brings along, such as the questions that it knows and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues


class Texts:
    """A list of texts that is the same for all calls.

    Args:
        texts: The list.
    """

    def __init__(self, *, texts: Sequence[str]) -> None:
        if not texts or not all(text.strip() for text in texts):
            raise ValueError("texts is a list of at least one text, and none of them may be empty")
        self._texts = list(texts)

    def __call__(self, _: NamedValues) -> list[str]:
        """The list; it is one and the same in all calls."""
        return self._texts
