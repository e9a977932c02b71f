"""Class scores to labels for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from edgewright_runtime.probabilities import sigmoid
from edgewright_runtime.steps.values import call_of

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import LabelScore
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues


class Labels(TypedDict):
    """Scores of all classes, float [classes], and the best of them as labels."""

    scores: np.ndarray[Any, Any]
    labels: list[LabelScore]


class ScoredLabels(TypedDict):
    """Scores of all labels, float [labels], and the labels as the source's pipeline gives them."""

    scores: np.ndarray[Any, Any]
    scored_labels: list[LabelScore]


class Classify:
    """Logits of shape [1, classes] to labels with probabilities, best first.

    Args:
        package: Holds the labels.
        logits: Name of the graph's output.
        function: What makes probabilities of it; `none` where the graph has done so.
    """

    def __init__(
        self,
        package: Package,
        *,
        logits: str,
        function: Literal["softmax", "none"] = "softmax",
    ) -> None:
        self._labels = package.manifest.labels
        self._logits = logits
        self._softmax = function == "softmax"

    def __call__(self, values: NamedValues) -> Labels:
        """Add `scores` (shape [classes]) and `labels` (a list of `{"label", "score"}`, best first)."""
        scores = values[self._logits][0]
        if self._softmax:
            exponents = np.exp(scores - scores.max())
            scores = exponents / exponents.sum()
        count = call_of(values).top_k
        # The engine has just emptied the caches, so every function that is not called here shows in the latency.
        order = [int(scores.argmax())] if count == 1 else (-scores).argsort(kind="stable")[:count].tolist()
        labels: list[LabelScore] = [{"label": self._labels[i], "score": float(scores[i])} for i in order]
        return {"scores": scores, "labels": labels}


class ScoreLabels:
    """Logits of shape [1, labels] to labels that have a score each, whatever the others have; best first.

    One logit of a package with two labels stands for both: its score is that of the second, and the rest of the first.

    Args:
        package: Holds the labels.
        logits: Name of the graph's output.
        function: What makes scores of logits; `none` where they are numbers, or scores already.
    """

    def __init__(
        self,
        package: Package,
        *,
        logits: str,
        function: Literal["sigmoid", "none"] = "sigmoid",
    ) -> None:
        self._labels = package.manifest.labels
        self._logits = logits
        self._sigmoid = function == "sigmoid"

    def __call__(self, values: NamedValues) -> ScoredLabels:
        """Add `scores` (shape [labels]) and `scored_labels` (a list of `{"label", "score"}`, best first)."""
        logits = values[self._logits].reshape(-1)
        scores = sigmoid(logits) if self._sigmoid else logits
        if len(scores) == 1 and len(self._labels) == 2:
            scores = np.concatenate([1 - scores, scores])
        order = (-scores).argsort(kind="stable")[: call_of(values).top_k].tolist()
        labels: list[LabelScore] = [{"label": self._labels[i], "score": float(scores[i])} for i in order]
        return {"scores": scores, "scored_labels": labels}
