"""Any number of labels for each sample: micro-F1 and macro-F1 of those above the threshold, and average precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import mean_interval
from edgewright_benchmarks.accuracy._corpus import MeanOfSums
from edgewright_benchmarks.accuracy._decisions import Decisions, f1_column
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import flatten
from edgewright_benchmarks.accuracy._single import cut_of
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.resampling import bootstrap
from edgewright_targets import InputError

# For the interval of the average precision.
_RESAMPLES = 200


@dataclass(frozen=True)
class Labels:
    """Which labels hold for each sample, and above which score they do; see `cut_of`."""

    expected: Sequence[Decisions]
    cut: float


class LabelledLabels(Metric[Labels]):
    """Labels against those that are right."""

    names = ("micro_f1", "macro_f1", "average_precision")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Labels:
        """The right labels."""
        truth = check_ground_truth(ground_truth, baseline, f"the labels of {len(baseline)} samples")
        width = flatten(baseline[0]).size
        expected = np.zeros((len(truth), width), dtype=bool)
        for index, labels in enumerate(truth):
            if any(label >= width for label in labels):
                raise InputError(f"Sample {index + 1} has the label {max(labels)}; the model gives {width} scores.")
            expected[index, list(labels)] = True
        if not expected.any():
            raise InputError("No sample has a label, so nothing can be scored.")
        return Labels(list(expected), cut_of(baseline))

    def scores(self, predictions: Sequence[Prediction], reference: Labels) -> Scores:
        """Micro-F1 over all pairs of sample and label, macro-F1 and average precision.

        The latter two are means over the labels that occur.
        """
        found = decisions_of(predictions, reference)
        expected = np.stack(reference.expected)
        occurring = np.flatnonzero(expected.any(axis=0))
        one, other = np.stack(found)[:, occurring], expected[:, occurring]
        macro = MeanOfSums(np.multiply(2.0, one & other), np.add(one, other, dtype=np.float64))
        others = {"macro_f1": mean_interval(macro.scores(), span=macro.span, value=macro.ratio)}
        rows = _rows(predictions, expected.shape[1])
        if np.isfinite(rows).all():
            others["average_precision"] = average_precision(rows[:, occurring], other)
        return Scores("micro_f1", f1_column(found, reference.expected), others)

    def changed(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> Sequence[bool | None]:
        """Whether any label of each sample is another than with the baseline."""
        return _labels_differ(predictions, baseline)


class LabelsAgreement(Agreement[Labels]):
    """Labels against those that the float baseline gives."""

    names = ("agreement",)

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Labels:
        """The baseline's labels."""
        return labels_of(baseline)

    def scores(self, predictions: Sequence[Prediction], reference: Labels) -> Scores:
        """Micro-F1 with the baseline's labels for the ground truth."""
        return Scores("agreement", f1_column(decisions_of(predictions, reference), reference.expected))

    def changed(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> Sequence[bool | None]:
        """Whether any label of each sample is another than with the baseline."""
        return _labels_differ(predictions, baseline)


def labels_of(baseline: Sequence[Prediction]) -> Labels:
    """The labels that the float baseline gives."""
    cut = cut_of(baseline)
    return Labels([flatten(prediction) > cut for prediction in baseline], cut)


def decisions_of(predictions: Sequence[Prediction], labels: Labels) -> list[Decisions]:
    """Which labels hold for each sample; all are wrong where a score is not finite, or their number is another."""
    rows = [flatten(prediction) for prediction in predictions]
    return [
        row > labels.cut if row.shape == right.shape and np.isfinite(row).all() else ~right
        for row, right in zip(rows, labels.expected, strict=True)
    ]


def _labels_differ(predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> list[bool]:
    labels = labels_of(baseline)
    pairs = zip(decisions_of(predictions, labels), decisions_of(baseline, labels), strict=True)
    return [bool((one != other).any()) for one, other in pairs]


def _rows(predictions: Sequence[Prediction], width: int) -> NDArray[np.float64]:
    rows = [flatten(prediction) for prediction in predictions]
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

    def means(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        each = np.stack([_of_counts(scores[:, label], expected[:, label], counts) for label in range(labels)])
        # A label that a resample left out does not count in its mean.
        there = np.isfinite(each)
        some = there.any(axis=0)
        found: NDArray[np.float64] = np.where(there, each, 0).sum(axis=0)[some] / there.sum(axis=0)[some]
        return found

    return bootstrap(value, means, samples, resamples=_RESAMPLES, of_counts=True)


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
