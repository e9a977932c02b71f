"""Names and short texts: right where they equal the ground truth, whatever classes there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._columns import Flags
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import texts_of
from edgewright_benchmarks.predictions import Prediction

_NO_NAME = "The predictions are not names or texts."


class LabelledNames(Metric[Sequence[str]]):
    """Texts against the one that is right; spaces around it do not count."""

    names = ("accuracy",)

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[str]:
        """The right texts; an empty one is right where nothing is to be predicted."""
        return check_ground_truth(ground_truth, baseline, f"a name for each of {len(baseline)} samples")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[str]) -> Scores:
        """Accuracy."""
        pairs = zip(texts_of(predictions, _NO_NAME), reference, strict=True)
        return Scores("accuracy", Flags(np.array([found.strip() == right for found, right in pairs], dtype=bool)))
