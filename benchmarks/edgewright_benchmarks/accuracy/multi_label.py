"""Any number of labels for each sample: micro-F1 and macro-F1 of those above the threshold, and average precision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._corpus import MeanOfSums
from edgewright_benchmarks.accuracy._decisions import Decisions, f1_accuracy
from edgewright_benchmarks.accuracy._mean import mean_interval
from edgewright_benchmarks.accuracy._resampled import resampled_counts
from edgewright_benchmarks.accuracy._scorer import check_samples, check_truth, flatten
from edgewright_benchmarks.accuracy._single import cut_of
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_targets import InputError

# For the interval of the average precision.
_RESAMPLES = 200


class LabelledLabels:
    """Scores labels against those that are right; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Sequence[int]] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """Micro-F1 over all pairs of sample and label, which the drop is of, macro-F1 and average precision.

        The latter two are means over the labels that occur; see `Scorer.score` for the rest.
        """
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"the labels of {len(outputs)} samples")
        width = flatten(baseline_outputs[0]).size
        expected = np.zeros((len(truth), width), dtype=bool)
        for index, labels in enumerate(truth):
            if any(label >= width for label in labels):
                raise InputError(f"Sample {index} has the label {max(labels)}; the model gives {width} scores.")
            expected[index, list(labels)] = True
        found = decisions_of(outputs, baseline_outputs, list(expected))
        occurring = np.flatnonzero(expected.any(axis=0))
        if not occurring.size:
            raise InputError("No sample has a label, so there is nothing to find.")
        one, other = np.stack(found)[:, occurring], expected[:, occurring]
        macro = MeanOfSums(np.multiply(2.0, one & other), np.add(one, other, dtype=np.float64))
        others = {"macro_f1": mean_interval(macro.scores(), span=macro.span, value=macro.ratio)}
        scores = _rows(outputs, width)
        if np.isfinite(scores).all():
            others["average_precision"] = average_precision(scores[:, occurring], other)
        return f1_accuracy(
            "micro_f1",
            found,
            decisions_of(baseline_outputs, baseline_outputs, list(expected)),
            list(expected),
            is_baseline=outputs is baseline_outputs,
            max_drop=max_drop,
            others=others,
        )


class LabelsAgreement:
    """Scores labels against those that the float baseline gives; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Sequence[int]] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """Micro-F1 with the baseline's labels for the truth; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        expected = decisions_of(baseline_outputs, baseline_outputs)
        found = decisions_of(outputs, baseline_outputs, expected)
        is_baseline = outputs is baseline_outputs
        return f1_accuracy("agreement", found, expected, expected, is_baseline=is_baseline, max_drop=max_drop)


def decisions_of(
    outputs: Sequence[Prediction], baseline_outputs: Sequence[Prediction], expected: Sequence[Decisions] | None = None
) -> list[Decisions]:
    """Which labels hold for each sample.

    Args:
        outputs: Of the engine.
        baseline_outputs: The float baseline's, which tell what the scores are.
        expected: What is right; the baseline's own by default. All are wrong where a score is not finite, or their
            number is another.
    """
    cut = cut_of(baseline_outputs)
    if expected is None:
        expected = [flatten(output) > cut for output in baseline_outputs]
    rows = [flatten(output) for output in outputs]
    return [
        row > cut if row.shape == right.shape and np.isfinite(row).all() else ~right
        for row, right in zip(rows, expected, strict=True)
    ]


def _rows(outputs: Sequence[Prediction], width: int) -> NDArray[np.float64]:
    rows = [flatten(output) for output in outputs]
    return np.stack([row if row.size == width else np.full(width, np.nan) for row in rows])


def average_precision(scores: NDArray[np.float64], expected: NDArray[np.bool_]) -> Interval:
    """The mean average precision of labels, each of which occurs, with an interval by resampling samples.

    Args:
        scores: Shape (samples, labels).
        expected: Which labels hold, of the same shape.
    """
    from sklearn.metrics import average_precision_score

    value = float(average_precision_score(expected, scores, average="macro"))
    samples, labels = scores.shape
    drawn = []
    for counts in resampled_counts(samples, _RESAMPLES):
        each = np.stack([_of_counts(scores[:, label], expected[:, label], counts) for label in range(labels)])
        # A label that a resample left out is no part of its mean.
        there = np.isfinite(each)
        drawn.append(np.where(there, each, 0).sum(axis=0)[there.any(axis=0)] / there.sum(axis=0)[there.any(axis=0)])
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    return Interval(value, min(value, float(low)), max(value, float(high)))


def _of_counts(
    scores: NDArray[np.float64], expected: NDArray[np.bool_], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The average precision of one label in resamples, not a number where it does not occur; shape (resamples,).

    It is the sum of precisions at each threshold, weighed by what recall they add, as in scikit-learn.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    right = np.cumsum(counts[:, order] * expected[order], axis=1)[:, ends]
    found = np.cumsum(counts[:, order], axis=1)[:, ends]
    precision = np.divide(right, found, out=np.zeros(right.shape), where=found > 0)
    total = right[:, -1]
    gained = (precision * np.diff(right, axis=1, prepend=0)).sum(axis=1)
    return np.asarray(np.divide(gained, total, out=np.full(len(total), np.nan), where=total > 0))
