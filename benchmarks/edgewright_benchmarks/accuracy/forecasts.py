"""Forecasts of series: what share of the variance they explain, and their errors.

The mean absolute scaled error (MASE) divides the mean absolute error of a window by that of the seasonal naive forecast
inside its context: R. J. Hyndman, A. B. Koehler, Another look at measures of forecast accuracy, 2006. The symmetric
mean absolute percentage error (sMAPE) is 2 |y - f| / (|y| + |f|), from 0 to 200 %, as in S. Makridakis, E. Spiliotis,
V. Assimakopoulos, The M4 Competition, 2020, section 2. Both are means over values, columns and windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.accuracy.regression import mean_with_interval
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_targets import InputError

Floats = NDArray[np.float64]

_NO_FORECASTS = "Forecasts are scored by the pipeline's output. This engine gave only the outputs of its graph."


@dataclass(frozen=True, eq=False)
class _Right:
    """The values that came, shape (windows, values, columns), and what errors are scaled by, (windows, columns)."""

    values: Floats
    scale: Floats


class LabelledForecasts(Metric[_Right]):
    """Forecasts against the values that came.

    R2 is that of scikit-learn's `r2_score` over all values of a column, and then the mean over columns, which so count
    alike whatever their units are. Drops are of it: a point is an error that grew by one percent of the variance. A
    window whose forecast is not finite counts as wrong by the whole range.
    """

    names = ("r2", "mae", "mse", "mase", "smape")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> _Right:
        """The values that came."""
        truth = check_ground_truth(ground_truth, baseline, f"the values after each of {len(baseline)} windows")
        values, scale = np.stack([one.values for one in truth]), np.stack([one.scale for one in truth])
        if not np.ptp(values, axis=(0, 1)).any():
            raise InputError("All values of the ground truth are the same, so nothing can be told apart.")
        return _Right(values, scale)

    def scores(self, predictions: Sequence[Prediction], reference: _Right) -> Scores:
        """R2; the errors are left out where a forecast is not finite."""
        right = reference.values
        found = np.stack([_values(answer, right.shape[1:]) for answer in answers_of(predictions, _NO_FORECASTS)])
        finite = np.asarray(np.isfinite(found).all(axis=(1, 2)))
        errors = np.where(finite[:, None, None], found - right, np.ptp(right, axis=(0, 1)))
        each, value = _explained(right, errors)
        mean = mean_with_interval(each, least=-np.inf)
        interval = Interval(value, min(value, mean.low), min(1.0, max(value, mean.high)))
        others = _errors(right, found, reference.scale) if finite.all() else {}
        return Scores("r2", Means(each, value=value), others, interval)

    def changed(self, predictions: Sequence[Prediction], _baseline: Sequence[Prediction], /) -> Sequence[bool | None]:
        """Nothing can be told: of numbers hardly two are the same."""
        return [None] * len(predictions)


def _values(answer: Any, shape: tuple[int, ...]) -> Floats:
    """A forecast, shape (values, columns); not a number where an engine gives another number of them."""
    if not isinstance(answer, dict):
        raise InputError(_NO_FORECASTS)
    found = np.array(list(answer.values()), np.float64).T
    return found if found.shape == shape else np.full(shape, np.nan)


def _explained(right: Floats, errors: Floats) -> tuple[Floats, float]:
    """What each window adds to R2, and R2; a column that never changes has no variance to explain, and is left out."""
    # Here, not above: a refusal need not wait for scikit-learn.
    from sklearn.metrics import r2_score

    varied = np.ptp(right, axis=(0, 1)) > 0
    right, errors = right[..., varied], errors[..., varied]
    spread = ((right - right.mean(axis=(0, 1))) ** 2).mean(axis=(0, 1))
    each = (1 - (errors**2).mean(axis=1) / spread).mean(axis=1)
    rows, found = (one.reshape(-1, one.shape[-1]) for one in (right, right - errors))
    return each, float(r2_score(rows, found, multioutput="uniform_average"))


def _errors(right: Floats, found: Floats, scale: Floats) -> dict[str, Interval]:
    apart = np.abs(found - right)
    whole = np.abs(found) + np.abs(right)
    percents = np.divide(2 * apart, whole, out=np.zeros_like(apart), where=whole > 0)
    errors = {
        "mae": mean_with_interval(apart.mean(axis=(1, 2))),
        "mse": mean_with_interval((apart**2).mean(axis=(1, 2))),
        "smape": mean_with_interval(percents.mean(axis=(1, 2))),
    }
    # A column that repeats itself exactly has no scale, and a context shorter than a season none that is known.
    scaled = apart.mean(axis=1) / np.where(scale > 0, scale, np.nan)
    known = np.isfinite(scaled)
    if known.any():
        windows = known.any(axis=1)
        errors["mase"] = mean_with_interval(np.nanmean(scaled[windows], axis=1))
    return {name: errors[name] for name in LabelledForecasts.names if name in errors}
