"""Values of the inputs of packages out of JSON, by their kinds. A text is never taken for a path of this machine."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable

import numpy as np

from edgewright_runtime.samples import FILE_INPUTS
from edgewright_serving.packages.served import ARRAYS
from edgewright_serving.requests.places import (
    MOST_POINTS,
    MOST_WORDS,
    box_of,
    boxes_of,
    points_of,
    series_of,
    words_of,
)
from edgewright_serving.requests.refusals import RefusalError

Array = np.ndarray[tuple[int, ...], np.dtype[np.generic]]

_BASE64, _DATA_URL = "base64", "data:"
_MOST_TEXTS = 1024
# Arrays of numbers have these types; what is not said is float32, int64 or bool by its values.
_TYPES = (
    "bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
)  # fmt: skip
# An array gives every text the room of the longest, with 4 bytes for a character: 64 MB.
_MOST_CHARACTERS = 2**24
# What numpy gives to a number that stands among texts.
_NUMBER_CHARACTERS = 32


def value_of(name: str, kind: str, given: object) -> object:
    """The value of an input.

    Args:
        name: Of the input.
        kind: See `Served.inputs`.
        given: What JSON says.

    Raises:
        RefusalError: It is something else.
    """
    made = _KINDS[kind](given)
    if made is None:
        raise RefusalError(400, f"'{name}' must be {WORDS[kind]}; found {type_of(given)}.", hint=_HINTS.get(kind, ""))
    return made


def type_of(given: object) -> str:
    """What a value of JSON is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(given), "a number")


def _text(given: object) -> str | None:
    return given if isinstance(given, str) else None


def _texts(given: object) -> list[str] | None:
    right = isinstance(given, list) and len(given) <= _MOST_TEXTS and all(isinstance(one, str) for one in given)
    return list(given) if right and isinstance(given, list) else None


def _file(given: object) -> bytes | None:
    """Bytes out of `{"base64": ...}` or a data URL; a text alone could be a path, and is not taken."""
    if isinstance(given, dict) and set(given) == {_BASE64}:
        return _decoded(given[_BASE64])
    if isinstance(given, str) and given.startswith(_DATA_URL):
        head, comma, data = given.partition(",")
        return _decoded(data) if comma and head.endswith(f";{_BASE64}") else None
    return None


def _decoded(data: object) -> bytes | None:
    if not isinstance(data, str):
        return None
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusalError(400, f"This is not base64: {error}.") from error


def _audio(given: object) -> object:
    if isinstance(given, dict) and set(given) == {"array", "sampling_rate"} and isinstance(given["sampling_rate"], int):
        _check_characters([given["array"]])
        return {"array": _array("array", given["array"]), "sampling_rate": given["sampling_rate"]}
    return _file(given)


def _row(given: object) -> dict[str, object] | None:
    cells = (str, int, float, bool, type(None))
    right = isinstance(given, dict) and all(isinstance(cell, cells) for cell in given.values())
    return dict(given) if right and isinstance(given, dict) else None


def _plain_number(given: object) -> float | None:
    return given if isinstance(given, int | float) and not isinstance(given, bool) else None


def _latent(given: object) -> object:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    return _arrays(given)


def _arrays(given: object) -> dict[str, Array] | None:
    if not isinstance(given, dict):
        return None
    _check_characters(given.values())
    return {name: _array(name, value) for name, value in given.items()}


def _check_characters(arrays: Iterable[object]) -> None:
    """Refuse texts that would not fit in memory as arrays, before they are made."""
    if sum(map(_characters, arrays)) > _MOST_CHARACTERS:
        raise RefusalError(
            413,
            f"The texts in arrays come to more than {_MOST_CHARACTERS:,} characters, as each takes the room of the "
            "longest.",
            hint="Send shorter texts, or fewer at once.",
        )


def _characters(given: object) -> int:
    """Characters of the array that lists of lists become; 0 where no text is in them."""
    lists = [[given["values"] if isinstance(given, dict) and "values" in given else given]]
    texts = numbers = longest = 0
    while lists:
        for entry in lists.pop():
            if isinstance(entry, list):
                lists.append(entry)
            elif isinstance(entry, str):
                texts, longest = texts + 1, max(longest, len(entry))
            else:
                numbers += 1
    if not texts:
        return 0
    return (texts + numbers) * (max(longest, _NUMBER_CHARACTERS) if numbers else longest)


def _array(name: str, given: object) -> Array:
    """Lists of lists, or `{"type": ..., "values": ...}`."""
    kind = None
    if isinstance(given, dict) and "values" in given:
        kind, given = given.get("type"), given["values"]
        if kind is not None and kind not in _TYPES:
            raise RefusalError(400, f"'{name}' has an unknown type.", hint=f"Known: {', '.join(_TYPES)}.")
    try:
        array = np.array(given)
        if kind is None and array.dtype.kind == "f":
            kind = "float32"
        made = array if kind is None else array.astype(str(kind))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise RefusalError(400, f"'{name}' is not an array: {error}.") from error
    if made.dtype.kind not in "biufU" or array.dtype.kind not in "biufU":
        raise RefusalError(400, f"'{name}' is not an array of numbers or texts.")
    return made


_KINDS: dict[str, Callable[[object], object]] = {
    "text": _text,
    "texts": _texts,
    "audio": _audio,
    "image": _file,
    "video": _file,
    "number": _plain_number,
    "latent": _latent,
    "row": _row,
    "series": series_of,
    "box": box_of,
    "points": points_of,
    "words": words_of,
    "boxes": boxes_of,
    ARRAYS: _arrays,
}
WORDS = {
    "text": "a text",
    "texts": f"a list of at most {_MOST_TEXTS} texts",
    "audio": "an audio file",
    "image": "an image",
    "video": "a video",
    "number": "a number",
    "latent": "a seed, or an object of arrays",
    "row": "an object of the columns of a row",
    "series": "a list of numbers, a list of lists of numbers, or an object of columns to lists",
    "box": "four numbers, [x, y, width, height], or a box as detectors answer it",
    "points": f"a list of 1 to {MOST_POINTS:,} points, [x, y] or [x, y, 0] for what is not meant",
    "words": f"a list of 1 to {MOST_WORDS:,} texts",
    "boxes": f"a list of 1 to {MOST_WORDS:,} boxes of four numbers, [left, top, right, bottom]",
    ARRAYS: "an object of named arrays",
}
_AS_FILE = 'Send the file in a form (multipart/form-data), or as {"base64": "..."}.'
_HINTS = dict.fromkeys(FILE_INPUTS, _AS_FILE)
