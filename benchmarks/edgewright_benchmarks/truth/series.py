"""Ground truth of forecasts: the values that came, and what errors in them are scaled by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.truth.ground_truth import Truth
from edgewright_benchmarks.truth.windows import Windows
from edgewright_targets import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Future:
    """What came after a context.

    Attributes:
        values: Shape (values, columns), the nearest first.
        scale: Of each column the mean absolute error of the seasonal naive forecast inside the context; NaN where the
            context is not longer than a season. Shape (columns,).
    """

    values: Floats
    scale: Floats


def naive_scale(context: Floats, season: int) -> Floats:
    """The mean absolute error of forecasts that repeat the value of a season before, inside a context.

    R. J. Hyndman, A. B. Koehler, Another look at measures of forecast accuracy, International Journal of Forecasting
    22, 2006, section 3: what the mean absolute scaled error divides by.

    >>> import numpy as np
    >>> from edgewright_benchmarks.truth.series import naive_scale
    >>> naive_scale(np.array([[1.0], [5.0], [2.0], [7.0]]), 2).tolist()
    [1.5]

    Args:
        context: Shape (values, columns).
        season: After so many values it is like itself.
    """
    if len(context) <= season:
        return np.full(context.shape[1], np.nan)
    scale: Floats = np.abs(context[season:] - context[:-season]).mean(axis=0)
    return scale


def future_of(cell: Any, context: Floats, windows: Windows, place: str) -> Future:
    """The ground truth of a context.

    Args:
        cell: The values that came: an array or a list of them, or of rows, one number for each column; or that as JSON.
        context: What the model is given; shape (values, columns).
        windows: How many values and which columns.
        place: In the file, for messages.

    Raises:
        InputError: There is another number of values or columns, or a value is missing.
    """
    targets = windows.targets
    scale = naive_scale(context, windows.read.season)[targets]
    values = _rows(cell, place)
    wanted = (windows.forecast.horizon, len(targets))
    if values.ndim == 1 and wanted[1] == 1:
        values = values[:, None]
    if values.shape != wanted:
        raise InputError(
            f"{place}: the ground truth has the shape {list(values.shape)}; the model gives {list(wanted)} "
            "(values, columns)."
        )
    if not np.isfinite(values).all():
        raise InputError(f"{place}: a value of the ground truth is missing.", hint="Leave this window out.")
    return Future(values, scale)


def _rows(cell: Any, place: str) -> Floats:
    try:
        return np.asarray(json.loads(cell) if isinstance(cell, str) else cell, np.float64)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(
            f"{place}: the ground truth cannot be read: {str(cell)[:60]!r}.",
            hint="Write the next values as a list of JSON, [1.5, 2, ...], or a list for each of them.",
        ) from error


def _alone(cell: Any, class_names: tuple[str, ...], place: str) -> Any:
    del cell, class_names
    raise InputError(f"{place}: forecasts are read from a series.")


# Read together with its context, and not from a cell alone.
FUTURE = Truth("target", _alone)
