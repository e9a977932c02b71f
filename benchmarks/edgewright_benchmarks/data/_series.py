"""Series: a table whose rows are in the order of time, or windows that are cut already.

A long series is cut with a rolling origin: the forecast of the last window ends with the last row, and each window
before ends where the forecast of the next one begins. So no value is forecast twice, and all that a window is given
lies before what it and later windows are to say.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.data._table import read_rows
from edgewright_benchmarks.truth.ground_truth import Form
from edgewright_benchmarks.truth.series import FUTURE, future_of
from edgewright_benchmarks.truth.windows import Windows
from edgewright_runtime.arrays import read_arrays
from edgewright_runtime.errors import SampleError
from edgewright_runtime.samples import SERIES_INPUT
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

Floats = NDArray[np.float64]


def read_series(path: Path, form: Form) -> tuple[list[Any], list[Any] | None]:
    """Samples and their ground truth, as `read_dataset` gives them.

    Raises:
        InputError: It is not a series or windows of one, has other columns, or is too short.
    """
    windows = form.windows
    if windows is None:
        raise InputError(f"'{path}': nothing says how long the windows of the model are.")
    if path.suffix.lower() == ".npz":
        return _cut(_windows_of_arrays(path), windows, str(path))
    header, rows = read_rows(path, (SERIES_INPUT, FUTURE.column, *windows.read.columns))
    if SERIES_INPUT in header and SERIES_INPUT not in windows.read.columns:
        cells = ((place, row.get(SERIES_INPUT), row.get(FUTURE.column)) for place, row in rows)
        return _cut(cells, windows, str(path))
    return _rolled(_values(path, header, rows, windows), windows, path)


def _values(
    path: Path, header: list[str], rows: Sequence[tuple[str, Mapping[str, object]]], windows: Windows
) -> Floats:
    """A table as numbers, a column for each of the model's."""
    columns = windows.read.columns or tuple(header)
    if lacking := [name for name in columns if name not in header]:
        raise InputError(
            f"'{path}' has no column {first_few(repr(name) for name in lacking)}; its columns are {first_few(header)}.",
            hint=f"A table of windows has a column '{SERIES_INPUT}', a series has the columns of the model.",
        )
    if len(columns) != windows.read.count:
        raise InputError(
            f"'{path}' has {len(columns)} columns, {first_few(columns)}; the model takes {windows.read.count}.",
            hint="Leave out the others, such as a date, or name the columns of the model in forecast.json beside it.",
        )
    return np.array([[_number(row.get(name), name, place) for name in columns] for place, row in rows], np.float64)


def _number(cell: object, column: str, place: str) -> float:
    try:
        found = math.nan if isinstance(cell, bool) or cell is None else float(str(cell))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise InputError(
            f"{place}: the column '{column}' has '{'' if cell is None else str(cell)[:60]}', which is not a number.",
            hint="Fill missing values in first, for example with the value before.",
        )
    return found


def _rolled(values: Floats, windows: Windows, path: Path) -> tuple[list[Any], list[Any] | None]:
    """The windows of a series, in the order of time."""
    context, horizon = windows.read.context, windows.forecast.horizon
    if len(values) < context + horizon:
        raise InputError(
            f"'{path}' has {len(values):,} rows; a window takes {context + horizon:,}: {context:,} that the model is "
            f"given and {horizon:,} that it is to say."
        )
    origins = reversed(range(len(values) - horizon, context - 1, -horizon))
    pairs = [(values[origin - context : origin], values[origin : origin + horizon]) for origin in origins]
    targets = windows.targets
    return [one for one, _ in pairs], [future_of(right[:, targets], one, windows, str(path)) for one, right in pairs]


def _windows_of_arrays(path: Path) -> Iterator[tuple[str, Any, Any]]:
    arrays = dict(read_arrays(path))
    series, right = arrays.get(SERIES_INPUT), arrays.get(FUTURE.column)
    if series is None or set(arrays) - {SERIES_INPUT, FUTURE.column} or not series.ndim:
        raise InputError(
            f"'{path}' holds the arrays {first_few(arrays)}; windows are '{SERIES_INPUT}', [samples, values, columns], "
            f"and '{FUTURE.column}' for the values that came."
        )
    if right is not None and (not right.ndim or len(right) != len(series)):
        raise InputError(f"'{path}': '{SERIES_INPUT}' and '{FUTURE.column}' have different numbers of samples.")
    for number, one in enumerate(series):
        yield f"'{path}', sample {number + 1}", one, None if right is None else right[number]


def _cut(cells: Iterator[tuple[str, Any, Any]], windows: Windows, name: str) -> tuple[list[Any], list[Any] | None]:
    """Windows that are there: places, what the model is given, and what came (None where nobody knows)."""
    samples: list[Any] = []
    labels: list[Any] = []
    for place, cell, right in cells:
        context = _context(cell, windows, place)
        samples.append(context)
        if right is not None:
            labels.append(future_of(right, context, windows, place))
    if labels and len(labels) != len(samples):
        raise InputError(f"'{name}': some windows have '{FUTURE.column}', others do not.")
    return samples, labels or None


def _context(cell: Any, windows: Windows, place: str) -> Floats:
    try:
        series = windows.read.values(json.loads(cell) if isinstance(cell, str) else cell)
        # What a call would refuse is said here, with its place.
        windows.read({SERIES_INPUT: series})
    except SampleError as error:
        raise InputError(f"{place}: {error.message}", hint=error.hint) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: the series is not valid JSON: {error}.") from error
    return series[-windows.read.context :]
