"""One number or several for each sample: what share of their variance is explained, errors, Pearson's correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means, Resampled
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import flatten
from edgewright_benchmarks.accuracy.regression import mean_with_interval
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_targets import InputError

# Shape (samples, numbers).
Rows = NDArray[np.float64]

# What a sample loses that is put at the other end: its part, and the same with the other sign.
_SPAN = 2.0


class LabelledFit(Metric[Rows]):
    """Numbers against those that are right: R2, the mean squared error and the mean absolute error.

    R2, one minus the squared errors over the squares around the mean of each number (the "variance weighted" one of
    scikit-learn's `r2_score`), is a mean over samples, which drops are of: a point of it is an error that grew by one
    percent of the variance. A sample unlike all that were seen counts as one that loses the variance.
    """

    names = ("r2", "mse", "mae")
    # Of numbers hardly two are the same.
    repeats = False

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Rows:
        """The right numbers."""
        return right_rows(ground_truth, baseline)

    def scores(self, predictions: Sequence[Prediction], reference: Rows) -> Scores:
        """R2; the errors are left out where an answer is not finite, which counts as wrong by the whole range."""
        found = rows_of(predictions, reference.shape[1])
        finite = np.asarray(np.isfinite(found).all(axis=1))
        errors = np.where(finite[:, None], found - reference, np.ptp(reference, axis=0))
        spread = ((reference - reference.mean(axis=0)) ** 2).sum(axis=1).mean()
        each = 1 - (errors**2).sum(axis=1) / spread
        value, mean = _r2(reference, reference - errors), mean_with_interval(each, least=-np.inf)
        interval = Interval(value, min(value, mean.low), min(1.0, max(value, mean.high)))
        others = {}
        if finite.all():
            others["mse"] = mean_with_interval((errors**2).mean(axis=1))
            others["mae"] = mean_with_interval(np.abs(errors).mean(axis=1))
        return Scores("r2", Means(each, value=value), others, interval)


class LabelledCorrelation(LabelledFit):
    """Numbers against those that are right by Pearson's correlation, over all samples and all numbers of each."""

    names = ("pearson", "mse", "mae")

    def scores(self, predictions: Sequence[Prediction], reference: Rows) -> Scores:
        """The correlation and the errors. A sample that is not finite counts as wrong by the whole range."""
        found = rows_of(predictions, reference.shape[1])
        finite = np.isfinite(found).all(axis=1, keepdims=True)
        # The mirrored number lies at the other end.
        found = np.where(finite, found, reference.max(axis=0) + reference.min(axis=0) - reference)
        sums = _sums(found, reference)

        def correlations(rows: NDArray[np.int64]) -> NDArray[np.float64]:
            one, other, squares, others, both = sums[rows].mean(axis=1).T
            scale = np.sqrt(np.maximum((squares - one**2) * (others - other**2), 0))
            return np.asarray(np.divide(both - one * other, scale, out=np.zeros(len(rows)), where=scale > 0))

        errors = super().scores(predictions, reference).others
        return Scores("pearson", Resampled(correlations, len(reference), _SPAN), errors)


def right_rows(ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction]) -> Rows:
    """The right numbers of all samples.

    Raises:
        InputError: They are missing, are all alike, or are another number of them than the model gives.
    """
    truth = check_ground_truth(ground_truth, baseline, f"numbers for each of {len(baseline)} samples")
    rows = [np.atleast_1d(np.asarray(row, np.float64)).reshape(-1) for row in truth]
    for index, (row, prediction) in enumerate(zip(rows, baseline, strict=True)):
        if row.size != flatten(prediction).size:
            raise InputError(
                f"The ground truth of sample {index + 1} is {row.size} numbers; the model gives "
                f"{flatten(prediction).size}."
            )
    if len({row.size for row in rows}) != 1:
        raise InputError("The samples have different numbers of values.", hint="Choose another metric with --metric.")
    found: Rows = np.stack(rows)
    if not np.ptp(found, axis=0).any():
        raise InputError("The ground truth of all samples is the same, so nothing can be told apart.")
    return found


def rows_of(predictions: Sequence[Prediction], width: int) -> Rows:
    """The numbers of all samples, not a number where an engine gives another number of them."""
    rows = [flatten(prediction) for prediction in predictions]
    return np.stack([row if row.size == width else np.full(width, np.nan) for row in rows])


def _r2(right: Rows, found: Rows) -> float:
    # Here, not above: a refusal need not wait for scikit-learn.
    from sklearn.metrics import r2_score

    return float(r2_score(right, found, multioutput="variance_weighted"))


def _sums(found: Rows, right: Rows) -> NDArray[np.float64]:
    """Of each sample the means that a correlation is made of; shape (samples, 5)."""
    # Moved and scaled, which no correlation depends on: squares of large numbers would not stay exact.
    one, other = ((rows - rows.mean()) / (rows.std() or 1.0) for rows in (found, right))
    parts = (one, other, one**2, other**2, one * other)
    return np.stack([part.mean(axis=1) for part in parts], axis=1)
