"""Classes: accuracy, macro-F1, the AUC of a single score, and how often the class is among the best few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Flags
from edgewright_benchmarks.accuracy._metric import Metric, Scores
from edgewright_benchmarks.accuracy._outputs import class_scores, tell_apart
from edgewright_benchmarks.accuracy._single import auc_of, check_width, classes_of, threshold_of
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import metric_interval, wilson
from edgewright_targets import InputError


@dataclass(frozen=True)
class Classes:
    """The class of each sample, shape (samples,), and how single scores are read; see `threshold_of`."""

    labels: NDArray[np.int64]
    threshold: float | None


class LabelledClassification(Metric[Classes]):
    """Class scores against labels. A single score tells two classes apart, see `threshold_of`.

    Args:
        top: Also give the share of samples whose class is among so many best ones, where there are more classes.
    """

    def __init__(self, top: int | None = None) -> None:
        self._top = top
        self.names = ("accuracy", "auc", *([] if top is None else [f"top_{top}_accuracy"]), "macro_f1")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Classes:
        """The labels."""
        labels = np.asarray([] if ground_truth is None else ground_truth)
        if labels.shape != (len(baseline),) or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
            raise InputError(
                f"Expected one class index a sample as label, found {labels.dtype} of shape {labels.shape} "
                f"for {len(baseline)} samples."
            )
        threshold = threshold_of(baseline)
        check_width(labels, baseline)
        return Classes(labels, threshold)

    def scores(self, predictions: Sequence[Prediction], reference: Classes) -> Scores:
        """Accuracy, macro-F1 (bootstrap) and, of a single score, the AUC (bootstrap)."""
        labels = reference.labels
        predicted = classes_of(predictions, reference.threshold)
        right = predicted == labels
        others = {}
        if reference.threshold is not None and (auc := auc_of(predictions, labels)) is not None:
            others["auc"] = auc
        if self._top is not None and class_scores(predictions[0]).size > self._top:
            among = sum(is_among(one, label, self._top) for one, label in zip(predictions, labels, strict=True))
            others[f"top_{self._top}_accuracy"] = wilson(among, len(labels))
        others["macro_f1"] = _macro_f1_interval(labels, predicted, wilson(int(right.sum()), len(labels)))
        return Scores("accuracy", Flags(right), others)

    def changed(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> Sequence[bool | None]:
        """Whether each sample has another class than with the baseline."""
        return classes_differ(predictions, baseline)


def classes_differ(predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> list[bool]:
    """Whether each sample is given another class."""
    threshold = threshold_of(baseline)
    differ: list[bool] = (classes_of(predictions, threshold) != classes_of(baseline, threshold)).tolist()
    return differ


def is_among(prediction: Prediction, label: int, count: int) -> bool:
    """Whether a class is among the `count` best ones of a sample."""
    scores = class_scores(prediction)
    if not tell_apart(scores) or label >= scores.size or scores[label] == -np.inf:
        return False
    # Of equal scores the lower index is the better one, as with the best class alone.
    return bool((scores > scores[label]).sum() + (scores[:label] == scores[label]).sum() < count)


def _macro_f1_interval(truth: NDArray[np.int64], predicted: NDArray[np.int64], accuracy: Interval) -> Interval:
    if accuracy.value == 1.0:
        # Resampling nothing but right answers would claim certainty; the accuracy's own bound stands in.
        return Interval(macro_f1(truth, predicted), accuracy.low, 1.0, accuracy.confidence)
    return metric_interval(macro_f1, truth, predicted, of_counts=macro_f1_of_counts)


def macro_f1(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """The mean F1 score of the classes that occur in the truth, each weighing the same.

    A class that is only ever predicted adds no zero of its own (it costs precision of nothing that was asked), so
    that all engines are averaged over the same classes.
    """
    from sklearn.metrics import f1_score

    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0.0))


def macro_f1_of_counts(
    counts: NDArray[np.int64], truth: NDArray[np.int64], predicted: NDArray[np.int64]
) -> NDArray[np.float64]:
    """`macro_f1` of many resamples at once; see `of_counts` of `metric_interval` for the arguments.

    F1 of a class is 2 right / (answered + asked): the harmonic mean of precision and recall, multiplied out.
    """
    classes, starts = np.unique(truth, return_index=True)
    asked = np.add.reduceat(counts, starts, axis=1)
    right = np.add.reduceat(counts * (truth == predicted), starts, axis=1)
    answered = np.zeros_like(asked)
    for index, name in enumerate(classes):
        answered[:, index] = counts[:, predicted == name].sum(axis=1)
    # A class that a resample left out does not count in its mean; a class without samples does not count in the value.
    scores = np.divide(2.0 * right, answered + asked, out=np.zeros(asked.shape), where=asked > 0)
    return np.asarray(scores.sum(axis=1) / (asked > 0).sum(axis=1), dtype=np.float64)
