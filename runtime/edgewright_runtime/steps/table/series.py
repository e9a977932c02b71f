"""The last values of a series to an array, and what a graph says of the next ones to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_targets.errors import first_few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewright_runtime.answer_types import Forecast
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

    Floats = NDArray[np.float64]


class ReadSeries:
    """The last values of a series to the input of a graph: float32, [1, context, columns].

    Args:
        output: Name of the graph's input.
        context: How many values of each column the graph takes; of a longer series it gets the last ones.
        count: Number of columns.
        columns: Their names, in the order of training; empty where nobody knows them. Then all columns of a series are
            taken in their order.
        mean: Of each column; it is subtracted. Empty subtracts nothing.
        std: Of each column; what is left is divided by it. Empty divides by nothing.
        flat: The graph takes [1, context], without an axis of columns.
        season: After so many values the series is like itself, 1 where nobody knows. No forecast depends on it; errors
            are scaled by it where forecasts are scored.
    """

    def __init__(
        self,
        *,
        output: str,
        context: int,
        count: int,
        columns: Sequence[str] = (),
        mean: Sequence[float] = (),
        std: Sequence[float] = (),
        flat: bool = False,
        season: int = 1,
    ) -> None:
        _check(context=context, count=count, season=season)
        if columns and len(columns) != count:
            raise ValueError(f"there are {len(columns)} names for {count} columns")
        self.columns, self.context, self.count, self.season = tuple(columns), context, count, season
        self._output, self._flat = output, flat
        if flat and count != 1:
            raise ValueError("only a graph of one column has no axis of columns")
        self._mean, self._std = scale_of(mean, std, count)

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the input of the graph.

        Raises:
            SampleError: It is not a series, is too short, lacks a column, or a value is missing.
        """
        series = self.values(values["series"])[-self.context :]
        if len(series) < self.context:
            raise SampleError(
                f"The series has {len(series):,} values; the model takes the last {self.context:,}.",
                hint="Pass a longer series.",
            )
        if not np.isfinite(series).all():
            row, column = (int(places[0]) for places in np.nonzero(~np.isfinite(series)))
            where = f"the column '{self.columns[column]}'" if self.columns else f"the column {column + 1}"
            raise SampleError(
                f"A value is missing or not finite: {where}, {self.context - row:,} values before the end.",
                hint="Fill it in first, for example with the value before it.",
            )
        scaled = ((series - self._mean) / self._std).astype(np.float32)[None]
        return {self._output: scaled[..., 0] if self._flat else scaled}

    def values(self, series: Any) -> Floats:
        """All values of a series in the order of the model's columns; shape (values, columns).

        Raises:
            SampleError: It is not a series of these columns.
        """
        if isinstance(series, Mapping):
            series = list(zip(*self._chosen(series), strict=True))
        try:
            # numpy would read the bytes of a file as one number.
            found = np.asarray(None if isinstance(series, bytes) else series, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            found = np.zeros(())
        if found.ndim == 1 and self.count == 1:
            found = found[:, None]
        if found.ndim != 2 or found.shape[1] != self.count:
            shape = f"; found {list(found.shape)}" if found.ndim else ""
            takes = "[values], or [values, 1]" if self.count == 1 else f"[values, {self.count}]"
            raise SampleError(f"The model takes a series of numbers, {takes}{shape}.")
        return found

    def _chosen(self, series: Mapping[str, object]) -> list[Any]:
        names = self.columns or tuple(series)
        if not self.columns and len(series) != self.count:
            raise SampleError(
                f"The model takes {_columns(self.count)}; the series has {len(series)}: {first_few(series)}.",
                hint="Leave out the others, or build the model with the names of its columns.",
            )
        if lacking := [name for name in names if name not in series]:
            raise SampleError(
                f"The series has no column {first_few(repr(name) for name in lacking)}; its columns are "
                f"{first_few(series)}."
            )
        chosen: list[Any] = [series[name] for name in names]
        if not all(isinstance(one, (list, tuple, np.ndarray)) for one in chosen):
            raise SampleError("A column of a series is a list of numbers.")
        if len({len(one) for one in chosen}) != 1:
            raise SampleError(f"The columns {first_few(names)} have different numbers of values.")
        return chosen


class GiveForecast:
    """What a graph says of the next values, by column.

    Args:
        output: Name of the graph's output, [1, values, columns], or [1, values] where there is one column.
        horizon: How many values it gives.
        columns: What they are of.
        mean: Of each column; it is added. Empty adds nothing.
        std: Of each column, by which values are multiplied before. Empty multiplies by nothing.
    """

    def __init__(
        self,
        *,
        output: str,
        horizon: int,
        columns: Sequence[str],
        mean: Sequence[float] = (),
        std: Sequence[float] = (),
    ) -> None:
        _check(horizon=horizon, columns=len(columns))
        if len(set(columns)) != len(columns):
            raise ValueError("two columns have the same name")
        self._output = output
        self.horizon, self.columns = horizon, tuple(columns)
        self._mean, self._std = scale_of(mean, std, len(columns))

    def __call__(self, values: NamedValues) -> dict[str, Forecast]:
        """Add `forecast`: column to its next values, the nearest first.

        Raises:
            SampleError: The output is not such a forecast.
        """
        found = np.asarray(values[self._output], dtype=np.float64)
        rows = found[..., None] if found.ndim == 2 else found
        if rows.shape != (1, self.horizon, len(self.columns)):
            raise SampleError(
                f"The model's output '{self._output}' has the shape {list(found.shape)}; expected the next values, "
                f"[1, {self.horizon}, {len(self.columns)}]."
            )
        scaled = (rows[0] * self._std + self._mean).T.tolist()
        return {"forecast": dict(zip(self.columns, scaled, strict=True))}


def scale_of(mean: Sequence[float], std: Sequence[float], count: int) -> tuple[Floats, Floats]:
    """Mean and deviation of each of `count` columns; 0 and 1 where nothing is given.

    Raises:
        ValueError: There is another number of them, or a deviation that is not above 0.
    """
    for name, given in (("mean", mean), ("std", std)):
        if given and len(given) != count:
            raise ValueError(f"{name} has {len(given)} numbers for {_columns(count)}")
    shift = np.asarray(mean, np.float64) if mean else np.zeros(count)
    scale = np.asarray(std, np.float64) if std else np.ones(count)
    if not (np.isfinite(shift).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError("mean must be numbers, and std numbers above 0")
    return shift, scale


def _columns(count: int) -> str:
    return "one column" if count == 1 else f"{count} columns"


def _check(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name} is {number}; it must be at least 1")
