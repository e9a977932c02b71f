"""Answers of packages as JSON: pictures as PNG, arrays with their shape and type, what is not a number as null."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping

import numpy as np

Array = np.ndarray[tuple[int, ...], np.dtype[np.generic]]

_MASK = "mask"
_COLOURS = 3
_FLAT, _GREY = 1, 2


def as_json(answer: object) -> object:
    """An answer as JSON has it.

    >>> as_json({"score": float("nan"), "vector": np.array([1.0, 2.0])})
    {'score': None, 'vector': [1.0, 2.0]}
    """
    if isinstance(answer, Mapping):
        return {str(name): _masked(name, value) for name, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [as_json(value) for value in answer]
    if isinstance(answer, np.ndarray):
        return _array(answer)
    if isinstance(answer, np.generic):
        return as_json(answer.item())
    if isinstance(answer, float):
        return answer if math.isfinite(answer) else None
    if isinstance(answer, bytes):
        return base64.b64encode(answer).decode()
    if answer is None or isinstance(answer, str | bool | int):
        return answer
    return _picture(answer)


def _masked(name: object, value: object) -> object:
    """A mask of few classes, or of a thing, as a grey picture whose values are the numbers of classes, or 0 and 1."""
    few = isinstance(value, np.ndarray) and value.dtype.kind in "biu" and value.size and 0 <= value.min() <= value.max()
    if name == _MASK and few and isinstance(value, np.ndarray) and value.max() <= np.iinfo(np.uint8).max:
        return as_json(value.astype(np.uint8))
    return as_json(value)


def _array(array: Array) -> object:
    is_picture = array.dtype == np.uint8 and (
        array.ndim == _GREY or (array.ndim == _COLOURS and array.shape[2] == _COLOURS)
    )
    if is_picture and array.size:
        return _picture(array)
    if array.ndim <= _FLAT:
        return as_json(array.tolist())
    return {"type": str(array.dtype), "shape": list(array.shape), "values": as_json(array.tolist())}


def _picture(picture: object) -> object:
    """A picture of Pillow, or an array of one, as `{"png": ..., "width": ..., "height": ...}`."""
    from PIL import Image

    made = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    if not isinstance(made, Image.Image):
        raise TypeError(f"an answer of the type {type(picture).__name__}")
    file = io.BytesIO()
    made.save(file, format="PNG")
    return {"png": base64.b64encode(file.getvalue()).decode(), "width": made.width, "height": made.height}
