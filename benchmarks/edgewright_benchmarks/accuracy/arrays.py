"""Named arrays, whose ground truth says what the scores are: of classes, of several labels, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgewright_benchmarks.accuracy._metric import Metric
from edgewright_benchmarks.accuracy._outputs import flatten
from edgewright_benchmarks.accuracy.classification import Classes, LabelledClassification
from edgewright_benchmarks.accuracy.multi_label import LabelledLabels
from edgewright_benchmarks.accuracy.regression import LabelledRegression
from edgewright_benchmarks.predictions import Prediction
from edgewright_targets import InputError


class LabelledClasses(LabelledClassification):
    """Class indices, which may have a point."""

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Classes:
        """The labels.

        Raises:
            InputError: They are not class indices.
        """
        return super().reference(whole_classes(ground_truth), baseline)


class LabelledArrays(LabelledClasses):
    """Class indices are scored as classes, tuples of them as labels, and other numbers as such."""

    def suited(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Metric[Any]:
        """The metric for the kind of this ground truth: classes, labels or numbers.

        Raises:
            InputError: The ground truth is numbers, and the model gives several for each sample.
        """
        first = ground_truth[0] if ground_truth else None
        if ground_truth and isinstance(first, tuple):
            return LabelledLabels()
        if ground_truth and isinstance(first, float):
            if all(flatten(prediction).size == 1 for prediction in baseline) and not set(ground_truth) <= {0.0, 1.0}:
                return LabelledRegression()
            if not all(label.is_integer() and label >= 0 for label in ground_truth):
                raise InputError(
                    f"The ground truth is a number for each sample, but the model gives "
                    f"{flatten(baseline[0]).size} of them.",
                    hint="Numbers are compared with models that give one number. Class indices are integers.",
                )
        return self


def whole_classes(ground_truth: Sequence[Any] | None) -> list[int] | None:
    """Class indices that may have a point, as whole numbers.

    Raises:
        InputError: They are not class indices.
    """
    if ground_truth is None:
        return None
    for label in ground_truth:
        if isinstance(label, tuple) or label != int(label):
            raise InputError(
                f"This metric compares classes; the ground truth of a sample is {label!r}.",
                hint="A class index is a whole number from 0.",
            )
    return [int(label) for label in ground_truth]
