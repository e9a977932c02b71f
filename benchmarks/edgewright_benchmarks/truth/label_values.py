"""Ground truth that is not one class of several: a number, one of two classes, several classes at once."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from edgewright_benchmarks.truth.ground_truth import LABEL_COLUMN, Truth, class_index, class_of_cell
from edgewright_targets import InputError

# What parts labels in a cell, where the cell is not a list of JSON.
_SEPARATORS = re.compile(r"[;|]")
_NO, _YES = ("0", "false", "no"), ("1", "true", "yes")
_LABELS_COLUMN = "labels"


def number(cell: Any, class_names: tuple[str, ...], place: str) -> float:
    """A number.

    Raises:
        InputError: It is not a number, or not finite.
    """
    del class_names
    try:
        # True is a class, and no number that a model was trained for.
        found = math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise InputError(
            f"{place}: {str(cell)[:60]!r} is not a number.",
            hint="This model gives one number per sample, so its ground truth is numbers. If it separates two "
            "classes, pass --task binary-text-classification.",
        )
    return found


def _numbers(found: Sequence[float], place: str) -> str | None:
    if len(set(found)) < 2 <= len(found):
        raise InputError(
            f"{place}: all {len(found)} numbers are {found[0]:g}.",
            hint="The order of samples can be scored only if their numbers differ.",
        )
    if set(found) == {0.0, 1.0}:
        return (
            f"{place}: all numbers are 0 or 1. If they are classes, --task binary-text-classification gives "
            "accuracy and AUC."
        )
    return None


NUMBER = Truth(LABEL_COLUMN, number, whole=_numbers)


def one_of_two(cell: Any, class_names: tuple[str, ...], place: str) -> int:
    """0 or 1: a class index, yes or no, or the name of a class where there are two.

    Raises:
        InputError: It is neither.
    """
    word = str(cell).strip().casefold()
    if len(class_names) == 2 and str(cell).strip() in class_names:
        return class_names.index(str(cell).strip())
    for index, words in enumerate((_NO, _YES)):
        if word in words or re.fullmatch(rf"{index}\.0+", word):
            return index
    if len(class_names) == 2:
        return class_index(cell, class_names, place)
    raise InputError(
        f"{place}: '{str(cell)[:60]}' is neither 0 nor 1.",
        hint="Name both classes with --labels FILE, one per line, the class of low scores first; or write 0 and 1.",
    )


ONE_OF_TWO = Truth(LABEL_COLUMN, one_of_two)


def several(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[int, ...]:
    """The classes that hold, in their order; none where the cell is empty.

    A cell is a list of JSON, or names with `;` or `|` between them. A list is of names, of class indices, or has a 0 or
    1 for each class.

    Raises:
        InputError: Not class names, or a list that can be read in two ways.
    """
    entries = _entries(cell)
    numbers = [entry for entry in entries if isinstance(entry, (bool, int, float))]
    if entries and len(numbers) == len(entries) == len(class_names) and set(numbers) <= {0, 1}:
        whole = all(type(entry) is int for entry in numbers)
        if whole and len(set(numbers)) == len(numbers):
            raise InputError(
                f"{place}: {cell!r} is ambiguous: the indices of two classes, or 0 or 1 for each class.",
                hint="Write the names of the classes.",
            )
        return tuple(index for index, entry in enumerate(numbers) if entry)
    return tuple(sorted({class_of_cell(entry, class_names, place) for entry in entries}))


def _entries(cell: Any) -> list[Any]:
    if cell is None or isinstance(cell, (list, tuple)):
        return list(cell or ())
    text = str(cell).strip()
    if text.startswith("["):
        for written in (text, text.replace("'", '"')):
            try:
                found = json.loads(written)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, list):
                return found
    return [part.strip() for part in _SEPARATORS.split(text) if part.strip()]


def _some_label(found: Sequence[tuple[int, ...]], place: str) -> None:
    if not any(found):
        raise InputError(f"{place}: no sample has a label, so nothing can be scored.")


LABELS = Truth(_LABELS_COLUMN, several, whole=_some_label)


def identity(cell: Any, class_names: tuple[str, ...], place: str) -> str:
    """Whose a sample is, or what it shows: any word, which need not be one of the model's.

    Raises:
        InputError: The cell is empty.
    """
    del class_names
    found = "" if cell is None else str(cell).strip()
    if not found:
        raise InputError(f"{place}: the identity is missing.")
    return found


IDENTITY = Truth(LABEL_COLUMN, identity)


def relevance(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[float, ...]:
    """How relevant each passage is, 0 where it is not: a list of JSON.

    Raises:
        InputError: It is not a list of numbers, has a number below 0, or all its numbers are equal.
    """
    del class_names
    try:
        entries = json.loads(cell) if isinstance(cell, str) else cell
        # True is as good as 1 here.
        found = tuple(float(entry) for entry in entries) if isinstance(entries, (list, tuple)) else ()
    except (ValueError, TypeError, OverflowError, RecursionError):
        found = ()
    if not found or not all(0 <= grade < math.inf for grade in found):
        raise InputError(
            f"{place}: the relevance cannot be read: {str(cell)[:60]!r}.",
            hint="Write a number for each passage, 0 where it is not relevant: [1, 0, 0].",
        )
    if len(set(found)) < 2:
        raise InputError(
            f"{place}: all passages have the same relevance, so their order cannot be scored.",
            hint="Leave out such queries.",
        )
    return found


def _one_for_each_passage(sample: Any, grades: tuple[float, ...], place: str) -> None:
    if len(sample["passages"]) != len(grades):
        raise InputError(f"{place}: {len(grades)} numbers of relevance for {len(sample['passages'])} passages.")


RELEVANCE = Truth("relevance", relevance, _one_for_each_passage)
