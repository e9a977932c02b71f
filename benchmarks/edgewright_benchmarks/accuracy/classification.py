"""Labelled classification: accuracy and macro-F1, and the accuracy lost against the baseline, paired by sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._scorer import NO_DROP, check_samples, class_scores, tell_apart
from edgewright_benchmarks.accuracy._single import auc_of, check_width, classes_of, threshold_of
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics.intervals import metric_interval, paired_accuracy_drop, samples_needed, wilson
from edgewright_targets import InputError


class LabelledClassification:
    """Scores class scores against labels; see `Scorer`. A single score tells two classes apart, see `threshold_of`.

    Args:
        top: Also give the share of samples whose class is among so many best ones, where there are more classes.
    """

    measure: Measure = "accuracy"

    def __init__(self, top: int | None = None) -> None:
        self._top = top

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[int] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """Accuracy (Wilson), macro-F1 and, of a single score, the AUC (bootstrap); the drop is Tango's."""
        check_samples(outputs, baseline_outputs)
        labels = np.asarray([] if truth is None else truth)
        if labels.shape != (len(outputs),) or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
            raise InputError(
                f"Expected one class index a sample as label, found {labels.dtype} of shape {labels.shape} "
                f"for {len(outputs)} samples."
            )
        baseline_predicted = classes_of(baseline_outputs, baseline_outputs)
        check_width(labels, baseline_outputs)
        predicted = classes_of(outputs, baseline_outputs)
        correct = predicted == labels
        baseline_correct = baseline_predicted == labels
        # Here, not above: a refusal need not wait for scikit-learn.
        from sklearn.metrics import accuracy_score

        right = int(accuracy_score(labels, predicted, normalize=False))
        accuracy = wilson(right, len(labels))
        counts = (int((baseline_correct & ~correct).sum()), int((~baseline_correct & correct).sum()))
        is_baseline = outputs is baseline_outputs
        metrics = {"accuracy": accuracy}
        if threshold_of(baseline_outputs) is not None and (auc := auc_of(outputs, labels)) is not None:
            metrics["auc"] = auc
        if self._top is not None and class_scores(outputs[0]).size > self._top:
            among = sum(is_among(output, label, self._top) for output, label in zip(outputs, labels, strict=True))
            metrics[f"top_{self._top}_accuracy"] = wilson(among, len(labels))
        metrics["macro_f1"] = _macro_f1_interval(labels, predicted, accuracy)
        return Accuracy(
            metrics=metrics,
            drop=NO_DROP if is_baseline else paired_accuracy_drop(baseline_correct, correct),
            samples=len(labels),
            samples_needed=(None if is_baseline or max_drop is None else samples_needed(counts, len(labels), max_drop)),
        )


def is_among(output: Prediction, label: int, count: int) -> bool:
    """Whether a class is among the `count` best ones of a sample."""
    scores = class_scores(output)
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
    # A class that a resample left out is no part of its mean, just as a class without samples is none of the value.
    scores = np.divide(2.0 * right, answered + asked, out=np.zeros(asked.shape), where=asked > 0)
    return np.asarray(scores.sum(axis=1) / (asked > 0).sum(axis=1), dtype=np.float64)
