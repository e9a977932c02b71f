"""Named arrays on their way to a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays


_TYPES = ("bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")


class DefaultArrays:
    """Gives inputs of a graph that a sample does not have the value that the model has for them.

    Args:
        values: Input of the graph to its `type` as numpy calls it, its `shape`, and its `values` in one row.
    """

    def __init__(self, *, values: Mapping[str, Mapping[str, object]]) -> None:
        self._values = {str(name): _array(entry) for name, entry in values.items()}

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the arrays that are missing."""
        return {name: array for name, array in self._values.items() if name not in values}


def _array(entry: Mapping[str, object]) -> np.ndarray[Any, Any]:
    if entry["type"] not in _TYPES:
        raise ValueError(f"the type {str(entry['type'])[:40]!r} is not one of {', '.join(_TYPES)}")
    return np.array(entry["values"], entry["type"]).reshape(entry["shape"])


class DropSampleAxis:
    """Takes the first axis away where a graph has none for samples: single values, states that begin with layers.

    Files of arrays have samples along the first axis, so one of them is of shape [1, ...].

    Args:
        ranks: Input of the graph to its number of axes.
    """

    def __init__(self, *, ranks: Mapping[str, int]) -> None:
        self._ranks = {str(name): int(rank) for name, rank in ranks.items()}

    def __call__(self, values: NamedValues) -> Arrays:
        """Replace the arrays that have one axis more than the graph; others pass as they are."""
        found = {name: values[name] for name in self._ranks if name in values}
        return {
            name: value.reshape(value.shape[1:])
            for name, value in found.items()
            if value.ndim == self._ranks[name] + 1 and value.shape[0] == 1
        }


class RepeatRows:
    """Repeats an array of one row as often as another one has rows: a picture for each window of its words.

    Args:
        array: Name of the array of one row.
        like: Name of the other one.
    """

    def __init__(self, *, array: str, like: str) -> None:
        self._array, self._like = array, like

    def __call__(self, values: NamedValues) -> Arrays:
        """Replace the array."""
        rows = len(values[self._like])
        return {self._array: np.repeat(values[self._array], rows, axis=0) if rows > 1 else values[self._array]}
