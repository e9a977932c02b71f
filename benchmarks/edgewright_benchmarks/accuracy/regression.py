"""One number for each sample: Spearman's rank correlation and the mean squared error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means, Resampled
from edgewright_benchmarks.accuracy._metric import WHOLE, Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import flatten
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.paired import student_quantile
from edgewright_benchmarks.statistics.resampling import Statistic
from edgewright_targets import InputError

Numbers = NDArray[np.float64]

# A sample that is placed at the other end takes its part of the correlation away and adds the same with the other sign.
_SPAN = 2.0


class LabelledRegression(Metric[Numbers]):
    """Numbers against those that are right."""

    names = ("spearman", "mse")
    # Of numbers hardly two are the same.
    repeats = False

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Numbers:
        """The right numbers; shape (samples,)."""
        truth = check_ground_truth(ground_truth, baseline, f"a number for each of {len(baseline)} samples")
        right = np.asarray(truth, np.float64)
        if len(set(right.tolist())) < 2:
            raise InputError("All numbers of the ground truth are equal, so the order of samples cannot be scored.")
        return right

    def scores(self, predictions: Sequence[Prediction], reference: Numbers) -> Scores:
        """Spearman's rank correlation, and the mean squared error.

        The error is left out where an answer is not finite: it has none.
        """
        found = numbers_of(predictions)
        errors = {"mse": mean_with_interval((found - reference) ** 2)} if np.isfinite(found).all() else {}
        return Scores("spearman", Resampled(_spearman(found, reference), len(reference), _SPAN), errors)


class RegressionAgreement(Agreement[Numbers]):
    """How near an engine's numbers are to the float baseline's, as a share of the range of these."""

    names = ("agreement",)
    bounded = True
    repeats = False

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Numbers:
        """The baseline's numbers; shape (samples,)."""
        return numbers_of(baseline)

    def scores(self, predictions: Sequence[Prediction], reference: Numbers) -> Scores:
        """The mean of 1 - |difference| / range, 0 where a number is a whole range away."""
        finite = reference[np.isfinite(reference)]
        reach = float(np.ptp(finite)) if finite.size else 0.0
        apart = np.abs(numbers_of(predictions) - reference)
        # Numbers that are all the same have no range: an engine gives the same, or does not.
        shares = apart / reach if reach else np.where(apart == 0, 0.0, 1.0)
        near = np.where(np.isfinite(shares), 1 - np.minimum(shares, 1), 0.0)
        return Scores("agreement", Means(near))

    def by_definition(self, samples: int, /) -> Scores:
        """The same numbers."""
        return Scores("agreement", Means(np.ones(samples)), interval=WHOLE)


def numbers_of(predictions: Sequence[Prediction]) -> Numbers:
    """The number that a person gets for each sample; shape (samples,).

    Raises:
        InputError: An output is more than one number.
    """
    return np.array([_number(prediction) for prediction in predictions], dtype=np.float64)


def _number(prediction: Prediction) -> float:
    answer = prediction.answer
    if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], dict):
        return float(answer[0]["score"])
    row = flatten(prediction)
    if row.size != 1:
        raise InputError(f"This task compares one number for each sample; the model gives {row.size}.")
    return float(row[0])


def mean_with_interval(values: Numbers, *, least: float = 0.0) -> Interval:
    """The mean of errors or of other values that nothing bounds above, with its t interval, two-sided 95 %.

    Args:
        values: Of each sample.
        least: None is smaller.
    """
    value = float(values.mean())
    if len(values) < 2:
        return Interval(value, least, value)
    width = float(student_quantile(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return Interval(value, max(least, value - width), value + width)


def _spearman(found: Numbers, right: Numbers) -> Statistic:
    """Spearman's rank correlation of resamples: Pearson's of the ranks, equal values sharing theirs; 0 of constants.

    What is not finite stands at the wrong end.
    """
    from scipy import stats

    low = right <= np.median(right)
    found = np.where(np.isfinite(found), found, np.where(low, np.inf, -np.inf))

    def of(rows: NDArray[np.int64]) -> Numbers:
        ranks = [stats.rankdata(values[rows], axis=1) for values in (found, right)]
        one, other = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
        scale = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
        return np.asarray(np.divide((one * other).sum(axis=1), scale, out=np.zeros(len(rows)), where=scale > 0))

    return of
