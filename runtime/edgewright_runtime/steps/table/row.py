"""A row of a table to arrays, and a number to a person."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_targets.errors import first_few

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

_TYPES = ("bool", "float32", "float64", "int32", "int64", "text")
# What tables have where a value is missing; pandas and R write some of them.
_MISSING = ("", "na", "nan", "n/a", "null", "none")
_FLAGS = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}


class Number(TypedDict):
    """The number of a sample, or a list of them where a model gives several."""

    number: float | list[float]


class ReadRow:
    """A row, a dict of columns, to the inputs of a graph, each of shape [1, columns].

    Args:
        inputs: Input of the graph to its `type` and its `columns` by name. Where nobody knows their names it has the
            `count` of them, and takes the values of the row in their order.
        missing: Whether the graph takes rows of which numbers are missing; they are NaN.
    """

    def __init__(self, *, inputs: Mapping[str, Mapping[str, object]], missing: bool = False) -> None:
        self._inputs = {str(name): _Input(entry) for name, entry in inputs.items()}
        self._missing = missing

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the inputs of the graph.

        Raises:
            SampleError: It is not a row, lacks a column, or a cell is not what the column holds.
        """
        row = values["row"]
        if not isinstance(row, Mapping):
            raise SampleError(f"The model takes a row, a dict of its columns; found {type(row).__name__}.")
        return {name: self._array(entry, row) for name, entry in self._inputs.items()}

    def _array(self, entry: _Input, row: Mapping[str, object]) -> np.ndarray[Any, Any]:
        names = entry.columns or list(row)
        if not entry.columns and len(row) != entry.count:
            raise SampleError(
                f"The model takes {entry.count} values; the row has {len(row)}: {first_few(names)}.",
                hint="Leave out columns that the model was not trained on.",
            )
        if lacking := [name for name in names if name not in row]:
            raise SampleError(
                f"The row has no column {first_few(repr(name) for name in lacking)}; its columns are {first_few(row)}."
            )
        cells = [self._cell(row[name], str(name), entry.kind) for name in names]
        return np.array([cells], np.str_ if entry.kind == "text" else entry.kind)

    def _cell(self, cell: object, column: str, kind: str) -> object:
        written = "" if cell is None else str(cell).strip()
        if kind == "text":
            return written
        if written.casefold() in _MISSING:
            if self._missing and kind.startswith("float"):
                return math.nan
            raise SampleError(
                f"The column '{column}' is empty, and the model takes no missing values there.",
                hint="Fill it in, leave the row out, or put an imputer into the pipeline that is exported.",
            )
        if kind == "bool" and written.casefold() in _FLAGS:
            return _FLAGS[written.casefold()]
        try:
            number = float(written)
            if kind.startswith("float") and math.isfinite(number):
                return number
            if kind.startswith("int") and number.is_integer():
                return int(number)
        except (ValueError, OverflowError):
            pass
        wanted = {"bool": "yes or no", "int32": "a whole number", "int64": "a whole number"}.get(kind, "a number")
        raise SampleError(f"The column '{column}' has '{written[:60]}', which is not {wanted}.")


class _Input:
    """An input of the graph, as a manifest has it."""

    def __init__(self, entry: Mapping[str, object]) -> None:
        columns, count = entry.get("columns", ()), entry.get("count", 0)
        if not isinstance(columns, Sequence) or isinstance(columns, str) or not isinstance(count, int):
            raise TypeError("an input has a list of columns, or a count")
        self.columns, self.count = [str(name) for name in columns], count
        self.kind = str(entry["type"])
        if self.kind not in _TYPES:
            raise ValueError(f"the type {self.kind[:40]!r} is not one of {', '.join(_TYPES)}")


class GiveNumber:
    """The number that a graph gives for a row, or all where it gives several.

    Args:
        output: Name of the graph's output.
    """

    def __init__(self, *, output: str) -> None:
        self._output = output

    def __call__(self, values: NamedValues) -> Number:
        """Add `number`."""
        numbers: list[float] = np.asarray(values[self._output], np.float64).reshape(-1).tolist()
        return {"number": numbers[0] if len(numbers) == 1 else numbers}
