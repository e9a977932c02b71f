"""One number for each sample: Spearman's rank correlation and the mean squared error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._mean import likeness_accuracy
from edgewright_benchmarks.accuracy._resampled import Resampled, resampled_accuracy
from edgewright_benchmarks.accuracy._scorer import NO_DROP, check_samples, check_truth, flatten
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_targets import InputError

Numbers = NDArray[np.float64]

# A sample that is placed at the other end takes its part of the correlation away and adds the same with the other sign.
_SPAN = 2.0


class LabelledRegression:
    """Scores numbers against those that are right; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[float] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """Spearman's rank correlation, which the drop is of, and the mean squared error; see `Scorer.score`.

        The error is left out where an answer is not finite: it has none.
        """
        check_samples(outputs, baseline_outputs)
        right = np.asarray(check_truth(outputs, truth, f"a number for each of {len(outputs)} samples"), np.float64)
        if len(set(right.tolist())) < 2:
            raise InputError("All numbers that are right are the same, so that no order can be compared with them.")
        found, baseline = numbers_of(outputs), numbers_of(baseline_outputs)
        errors = {"mse": _mean_squared_error(found, right)} if np.isfinite(found).all() else {}
        is_baseline = outputs is baseline_outputs
        return resampled_accuracy(
            "spearman",
            _spearman(found, right),
            None if is_baseline else _spearman(baseline, right),
            len(right),
            span=_SPAN,
            max_drop=max_drop,
            others=errors,
        )


class RegressionAgreement:
    """How near an engine's numbers are to the float baseline's, as a share of the range of these; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[float] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The mean of 1 - |difference| / range, 0 where a number is a whole range away; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        if outputs is baseline_outputs:
            return Accuracy({"agreement": Interval(1.0, 1.0, 1.0)}, NO_DROP, len(outputs))
        found, expected = numbers_of(outputs), numbers_of(baseline_outputs)
        finite = expected[np.isfinite(expected)]
        reach = float(np.ptp(finite)) if finite.size else 0.0
        apart = np.abs(found - expected)
        # Numbers that are all the same have no range: an engine gives the same, or does not.
        shares = apart / reach if reach else np.where(apart == 0, 0.0, 1.0)
        near = np.where(np.isfinite(shares), 1 - np.minimum(shares, 1), 0.0)
        return likeness_accuracy(near, {}, max_drop=max_drop)


def numbers_of(outputs: Sequence[Prediction]) -> Numbers:
    """The number that a person gets for each sample; shape (samples,).

    Raises:
        InputError: An output is more than one number.
    """
    return np.array([_number(output) for output in outputs], dtype=np.float64)


def _number(output: Prediction) -> float:
    answer = output.answer
    if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], dict):
        return float(answer[0]["score"])
    row = flatten(output)
    if row.size != 1:
        raise InputError(f"This task compares one number for each sample; the model gives {row.size}.")
    return float(row[0])


def _mean_squared_error(found: Numbers, right: Numbers) -> Interval:
    """With its t interval, two-sided 95 %."""
    from scipy import stats

    errors = (found - right) ** 2
    value = float(errors.mean())
    width = float(stats.t.ppf(0.975, len(errors) - 1) * errors.std(ddof=1) / np.sqrt(len(errors)))
    return Interval(value, max(0.0, value - width), value + width)


def _spearman(found: Numbers, right: Numbers) -> Resampled:
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
