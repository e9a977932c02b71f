"""What a data file is read for: which inputs, and what is right. A kind of truth is a function and a constant here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgewright_targets import InputError, nearest

LABEL_COLUMN = "label"


@dataclass(frozen=True)
class Truth:
    """What is right for a sample.

    Attributes:
        column: Where a table has it.
        read: From a cell (or a value of JSON), the class names and the place in the file for messages, what the
            scorers of the task compare with.
    """

    column: str
    read: Callable[[Any, tuple[str, ...], str], Any]


@dataclass(frozen=True)
class Form:
    """What a reader looks for: names of the inputs (none for named arrays), what is right, allowed class names."""

    names: tuple[str, ...]
    truth: Truth
    class_names: tuple[str, ...]


def class_index(cell: Any, class_names: tuple[str, ...], place: str) -> int:
    """The index of a class name.

    Raises:
        InputError: Not one of the class names.
    """
    label = str(cell).strip()
    if label in class_names:
        return class_names.index(label)
    if not class_names:
        raise InputError(f"{place}: the data is labelled, and the model has no labels to compare with.")
    listing = nearest(label, class_names) if len(class_names) <= 60 else f"The model has {len(class_names)} labels."
    raise InputError(f"{place}: unknown label '{label}'.", hint=listing)


CLASS = Truth(LABEL_COLUMN, class_index)


def _as_it_is(cell: Any, class_names: tuple[str, ...], place: str) -> str:
    del class_names, place
    return str(cell)


# Generators: in a text, what comes next is what is right.
TEXT_ITSELF = Truth("text", _as_it_is)
