"""Classes where the AUC or F1 decides, and not the accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Resampled, column_from_ratio
from edgewright_benchmarks.accuracy._corpus import MeanOfSums
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import class_scores
from edgewright_benchmarks.accuracy._single import auc_of_counts, classes_of
from edgewright_benchmarks.accuracy.arrays import LabelledClasses, whole_classes
from edgewright_benchmarks.accuracy.classification import Classes
from edgewright_benchmarks.accuracy.multi_label import LabelledLabels
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_targets import InputError

Yes = NDArray[np.bool_]


class LabelledAuc(Metric[Yes]):
    """Two classes by the area under the ROC curve: of one score, or of how much the second of two exceeds the first."""

    names = ("auc",)
    # An order has no threshold.
    repeats = False

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Yes:
        """Which samples are of the second class."""
        truth = whole_classes(
            check_ground_truth(ground_truth, baseline, f"a class for each of {len(baseline)} samples")
        )
        if set(truth or ()) != {0, 1}:
            raise InputError(
                f"The AUC needs samples of both classes, 0 and 1; the ground truth has {set(truth or ())}."
            )
        sizes = {class_scores(prediction).size for prediction in baseline}
        if not sizes <= {1, 2}:
            raise InputError(f"The AUC needs one score for each sample, or two; the model gives {max(sizes)}.")
        return np.array([label == 1 for label in truth or ()], dtype=bool)

    def scores(self, predictions: Sequence[Prediction], reference: Yes) -> Scores:
        """The AUC. What is not finite stands at the wrong end."""
        found = np.array([_single(prediction) for prediction in predictions])
        found = np.where(np.isfinite(found), found, np.where(reference, -np.inf, np.inf))

        def aucs(rows: NDArray[np.int64]) -> NDArray[np.float64]:
            counts = np.stack([np.bincount(row, minlength=len(found)) for row in rows])
            return auc_of_counts(found, reference, counts)

        # A sample of the rarer class that is put at the other end loses all its pairs.
        rarer = min(int(reference.sum()), int((~reference).sum()))
        return Scores("auc", Resampled(aucs, len(found), len(found) / rarer))


def _single(prediction: Prediction) -> float:
    row = class_scores(prediction)
    if row.size not in (1, 2):
        return float("nan")
    return float(row[0] if row.size == 1 else row[1] - row[0])


class LabelledF1(LabelledClasses):
    """Classes by macro-F1, over those that occur; several labels by micro-F1."""

    def __init__(self) -> None:
        super().__init__()
        self.names = ("macro_f1", "accuracy")

    def suited(self, ground_truth: Sequence[Any] | None, _baseline: Sequence[Prediction], /) -> Metric[Any]:
        """That of several labels where samples have such."""
        return LabelledLabels() if ground_truth and isinstance(ground_truth[0], tuple) else self

    def scores(self, predictions: Sequence[Prediction], reference: Classes) -> Scores:
        """Macro-F1 and accuracy."""
        found = classes_of(predictions, reference.threshold)
        classes = np.unique(reference.labels)
        one, other = found[:, None] == classes, reference.labels[:, None] == classes
        macro = MeanOfSums(np.multiply(2.0, one & other), np.add(one, other, dtype=np.float64))
        accuracy: Interval = wilson(int((found == reference.labels).sum()), len(found))
        return Scores("macro_f1", column_from_ratio(macro), {"accuracy": accuracy})
