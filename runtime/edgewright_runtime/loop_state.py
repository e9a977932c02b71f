"""The state that a loop carries from one run of its graph to the next, on the provider's side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


def zeros(shapes: Iterable[tuple[int, ...]]) -> list[Any]:
    """A first state: an `OrtValue` of float32 zeros for each shape."""
    from onnxruntime import OrtValue

    return [OrtValue.ortvalue_from_numpy(np.zeros(shape, dtype=np.float32)) for shape in shapes]


def as_arrays(names: Iterable[str], values: Iterable[Any]) -> dict[str, Array]:
    """The state by the names of its inputs, as arrays of their own.

    They are copies: an `OrtValue` that was made from an array only points to it, and what `numpy` gives of it is a view
    that does not keep that array alive.
    """
    return {name: value.numpy().copy() for name, value in zip(names, values, strict=True)}
