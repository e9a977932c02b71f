"""Named arrays, whose ground truth says what the scores are: of classes, of several labels, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgewright_benchmarks.accuracy._scorer import Scorer, check_samples, flatten
from edgewright_benchmarks.accuracy.classification import LabelledClassification
from edgewright_benchmarks.accuracy.multi_label import LabelledLabels
from edgewright_benchmarks.accuracy.regression import LabelledRegression
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy
from edgewright_targets import InputError


class LabelledArrays(LabelledClassification):
    """Scores class indices as classes, tuples of them as labels, and other numbers as such; see `Scorer`."""

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """As the scorer of that kind of ground truth; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        how = self.of(truth or (), baseline_outputs)
        if how is not self:
            return how.score(outputs, truth, baseline_outputs, max_drop=max_drop)
        classes = None if truth is None else [int(label) for label in truth]
        return super().score(outputs, classes, baseline_outputs, max_drop=max_drop)

    def of(self, truth: Sequence[Any], baseline_outputs: Sequence[Prediction]) -> Scorer:
        """What scores this kind of ground truth; itself where it is classes.

        Raises:
            InputError: It is numbers, and the model gives several for each sample.
        """
        first = truth[0] if truth else None
        if isinstance(first, tuple):
            return LabelledLabels()
        if isinstance(first, float):
            if all(flatten(output).size == 1 for output in baseline_outputs) and not set(truth) <= {0.0, 1.0}:
                return LabelledRegression()
            if not all(label.is_integer() and label >= 0 for label in truth):
                raise InputError(
                    f"The ground truth is a number for each sample, and the model gives "
                    f"{flatten(baseline_outputs[0]).size} of them.",
                    hint="Numbers are compared with a model of one output of one number; class indices are whole.",
                )
        return self
