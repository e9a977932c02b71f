"""What steps share that give a graph two texts together: a question and a context, a query and a passage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.text.tokenize import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def non_empty(text: Any, name: str) -> str:
    """The text itself; `name` says in messages which of the two it is.

    Raises:
        SampleError: It is not a string, or empty, or not valid Unicode.
    """
    if not isinstance(text, str) or not text.strip():
        raise SampleError(f"The model takes a non-empty {name}; found {describe(text)}.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SampleError(f"The {name} is not valid Unicode: {text!r}.") from error
    return text


def padded_rows(
    encodings: Sequence[Any], fields: Mapping[str, str], pad: Mapping[str, int], multiple: int
) -> dict[str, np.ndarray[Any, Any]]:
    """Token arrays of int64, shape [encodings, tokens], padded on the right to the longest.

    Args:
        encodings: Of the library `tokenizers`, one a row.
        fields: Value to make to the field of an encoding that it is.
        pad: What a value has where there is no token; 0 without an entry, as the mask and the sequence of a padding.
        multiple: The number of tokens is one of it.
    """
    length = max(len(encoding) for encoding in encodings)
    length += -length % multiple
    made = {}
    for name, field in fields.items():
        array = np.full((len(encodings), length), pad.get(name, 0), dtype=np.int64)
        for row, encoding in zip(array, encodings, strict=True):
            row[: len(encoding)] = getattr(encoding, field)
        made[name] = array
    return made
