"""What a data file is read for: the inputs, and the ground truth. A kind of truth is a function and a constant here."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from edgewright_benchmarks.truth.windows import Windows
from edgewright_runtime.samples import ROW_INPUT
from edgewright_runtime.steps.text.words import words_of
from edgewright_targets import InputError, nearest

LABEL_COLUMN = "label"
# The input of a sample that a function of the user's prepares: a row of a table with all its columns, or a file.
ANY_INPUT = "(any)"
# Inputs that are rows with all their columns.
WHOLE_ROWS = (ANY_INPUT, ROW_INPUT)


@dataclass(frozen=True)
class Truth:
    """The ground truth of a sample.

    Attributes:
        column: Where a table has it.
        read: From a cell (or a value of JSON), the class names and the place in the file for messages, what the
            scorers of the task compare with.
        check: Raises where that does not fit the sample; takes the sample, what was read, and the place.
        whole: Raises where all that was read together cannot be compared with, or returns what to say of it; takes it
            and the file.
        array: From the array of an `.npz` file, samples along its first axis, and the file, the ground truth of each
            sample; None reads classes, numbers and labels.
        is_file: A cell is a path, relative to its table; a folder may have a folder of such files beside one of inputs.
    """

    column: str
    read: Callable[[Any, tuple[str, ...], str], Any]
    check: Callable[[Any, Any, str], None] | None = None
    is_file: bool = False
    whole: Callable[[Sequence[Any], str], str | None] | None = None
    _: KW_ONLY
    array: Callable[[Any, Path], list[Any]] | None = None


@dataclass(frozen=True)
class ArrayNames:
    """The inputs of a model that takes named arrays.

    Attributes:
        needed: Those that every sample has.
        optional: Those that have a value of their own where a sample has none.
        constant: Names in its graph that look like inputs and are weights.
    """

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()
    constant: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """What a reader looks for.

    Attributes:
        names: Of the inputs; none for named arrays.
        truth: The ground truth.
        class_names: Allowed class names.
        most: Rows of a table that are wanted; others are not kept. None is all of them.
        arrays: The inputs where they are named arrays; None where nobody knows them before the model runs.
        windows: How a series is cut, where the input is one.
    """

    names: tuple[str, ...]
    truth: Truth
    class_names: tuple[str, ...]
    most: int | None = None
    arrays: ArrayNames | None = None
    _: KW_ONLY
    windows: Windows | None = None


# Tables of numbers are written with decimals where a value of the column was missing.
_INDEX = re.compile(r"(\d{1,9})(?:\.0+)?")


def is_class_index(cell: Any, class_names: tuple[str, ...]) -> bool:
    """Whether a cell (or an entry of a list in it) is a class index and cannot be a class name.

    Where a class is called by a number, such as a count of stars, a number is a name, and never an index.
    """
    cells = cell if isinstance(cell, list) else str(cell).split() if cell is not None else []
    return any(_as_index(entry, class_names) is not None for entry in cells)


def _as_index(cell: Any, class_names: tuple[str, ...]) -> int | None:
    found = _INDEX.fullmatch(str(cell).strip())
    return None if found is None or _some_number(class_names) else int(found.group(1))


@functools.lru_cache(maxsize=8)
def _some_number(class_names: tuple[str, ...]) -> bool:
    return any(_INDEX.fullmatch(name.strip()) for name in class_names)


def class_of_cell(cell: Any, class_names: tuple[str, ...], place: str) -> int:
    """The class index of a cell: the index of a class name, or an index itself.

    Raises:
        InputError: It is neither.
    """
    index = _as_index(cell, class_names) if class_names else None
    if index is None:
        return class_index(cell, class_names, place)
    if index >= len(class_names):
        raise InputError(
            f"{place}: there is no class {index}.",
            hint=f"The model has {len(class_names)} classes, with indices from 0 to {len(class_names) - 1}.",
        )
    return index


def class_index(cell: Any, class_names: tuple[str, ...], place: str) -> int:
    """The index of a class name.

    Raises:
        InputError: Not one of the class names.
    """
    label = str(cell).strip()
    if label in class_names:
        return class_names.index(label)
    if not class_names:
        raise InputError(f"{place}: the data has labels, but the model has none.")
    listing = nearest(label, class_names) if len(class_names) <= 60 else f"The model has {len(class_names)} labels."
    same = next((name for name in class_names if name.casefold() == label.casefold()), None)
    if same is not None:
        listing = f"Did you mean '{same}'? Labels are case-sensitive."
    raise InputError(f"{place}: unknown label '{label}'.", hint=listing)


CLASS = Truth(LABEL_COLUMN, class_of_cell)


def word_tags(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[str, ...]:
    """A tag for each word: words of a cell, or a list of JSON.

    Raises:
        InputError: A tag that is not one of the class names.
    """
    tags = tuple(str(tag) for tag in cell) if isinstance(cell, list) else tuple(str(cell).split())
    return tuple(class_names[class_of_cell(tag, class_names, place)] for tag in tags)


def _one_for_each_word(sample: Any, tags: tuple[str, ...], place: str) -> None:
    words = len(words_of(str(sample)))
    if words != len(tags):
        hint = "Words are separated by spaces; of scripts without spaces, such as Chinese, each character is one."
        raise InputError(f"{place}: {len(tags)} tags for {words} words.", hint=hint)


TAGS = Truth("tags", word_tags, _one_for_each_word)


def masked_words(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[str, ...]:
    """The word behind each mask: words of a cell, or a list of JSON.

    Raises:
        InputError: The cell is empty.
    """
    del class_names
    words = tuple(str(word) for word in cell) if isinstance(cell, list) else tuple(str(cell).split())
    if not words:
        raise InputError(f"{place}: the word for the mask is missing.")
    return words


WORDS = Truth("words", masked_words)


def reference_answers(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[str, ...]:
    """The answers that are right: a text, or a list of JSON of several; `answers` of SQuAD, {"text": [...]}, too.

    Raises:
        InputError: The cell is empty.
    """
    del class_names
    texts = cell.get("text") if isinstance(cell, dict) else cell
    found = tuple(str(text) for text in (texts if isinstance(texts, list) else [texts]) if text is not None)
    if not any(text.strip() for text in found):
        raise InputError(f"{place}: the answer is missing. Questions without an answer are not supported.")
    return found


ANSWERS = Truth("answers", reference_answers)


def reference_texts(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[str, ...]:
    """The texts that are right: one, or a list of JSON of several.

    Raises:
        InputError: The text is missing, or one is empty.
    """
    del class_names
    found = tuple(str(text).strip() for text in (cell if isinstance(cell, list) else [cell]) if text is not None)
    if not found or not all(found):
        raise InputError(f"{place}: the text is empty.")
    return found


REFERENCE_TEXTS = Truth("text", reference_texts)
TRANSLATION = Truth("translation", reference_texts)
SUMMARY = Truth("summary", reference_texts)


def transcript(cell: Any, class_names: tuple[str, ...], place: str) -> str:
    """What is said in a recording.

    Raises:
        InputError: No text, or an empty one.
    """
    del class_names
    if not isinstance(cell, str) or not cell.strip():
        raise InputError(f"{place}: the transcript is empty.", hint="Leave out recordings without speech.")
    return cell.strip()


TRANSCRIPT = Truth("text", transcript)


def _never(cell: Any, class_names: tuple[str, ...], place: str) -> Any:
    del cell, class_names
    raise InputError(f"{place}: this task has no labels.")


# For tasks that are compared with the float baseline alone: no table has a column without a name.
NOTHING = Truth("", _never)


def _as_it_is(cell: Any, class_names: tuple[str, ...], place: str) -> str:
    del class_names, place
    return str(cell)


# Generators: the next tokens of a text are the ground truth.
TEXT_ITSELF = Truth("text", _as_it_is)


def speech_segments(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[tuple[float, float], ...]:
    """Stretches of speech in seconds: a list of JSON of `{"start": ..., "end": ...}` or pairs; in a CSV its text.

    An empty list is a recording without speech.

    Raises:
        InputError: The cell is not a list of segments, or an end lies before its start.
    """
    del class_names
    try:
        entries = json.loads(cell) if isinstance(cell, str) else cell
        pairs = [(one["start"], one["end"]) if isinstance(one, dict) else tuple(one) for one in entries]
        found = tuple((float(start), float(end)) for start, end in pairs)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{place}: the segments cannot be read: {cell!r}.",
            hint='Write them as [{"start": 0.5, "end": 1.25}], in seconds.',
        ) from error
    for start, end in found:
        if not 0 <= start < end < float("inf"):
            raise InputError(
                f"{place}: a segment from {start:g} to {end:g} seconds is not valid: its end must lie after its start."
            )
    return found


SEGMENTS = Truth("segments", speech_segments)


def spoken_keywords(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[str, ...]:
    """The keywords that are said in a recording: one, a list of JSON, or nothing or `none` where none is.

    Raises:
        InputError: Not one of the class names.
    """
    words = cell if isinstance(cell, list) else ["" if cell is None else str(cell).strip()]
    if words in ([""], ["none"]) and words[0] not in class_names:
        return ()
    return tuple(class_names[class_index(word, class_names, place)] for word in words)


KEYWORDS = Truth(LABEL_COLUMN, spoken_keywords)
