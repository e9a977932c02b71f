"""Scores of several models over the same classes, joined with weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import LabelScore
    from edgewright_runtime.steps.values import NamedValues

# Far below any score that counts: a class that one expert excludes stays last, and a logarithm of it is finite.
LEAST = 1e-30


class Fuse:
    """Labels of several models to labels with joined scores, best first.

    `mean` is the weighted mean of the scores. `product` is the product of experts (Hinton, "Training Products of
    Experts by Minimizing Contrastive Divergence", Neural Computation 14, 2002): the weighted sum of the logarithms,
    normalized. `logistic` is the same sum with weights that are not shared out among the inputs: those of a logistic
    regression, so that one input alone with a weight is its scores at a temperature (of one over the weight).

    Args:
        weights: Input -> its weight, 1 where it is not said.
        by_context: Value of the input `context` -> weights for it, in the place of `weights`.
        method: `mean`, `product` or `logistic`.

    Attributes:
        names: Inputs that its options name.
    """

    def __init__(
        self,
        *,
        weights: Mapping[str, float] | None = None,
        by_context: Mapping[str, Mapping[str, float]] | None = None,
        method: Literal["mean", "product", "logistic"] = "mean",
    ) -> None:
        self._weights = weights or {}
        self._by_context = by_context or {}
        self._method = method
        self.names = tuple(
            dict.fromkeys(name for table in (self._weights, *self._by_context.values()) for name in table)
        )
        for table in (self._weights, *self._by_context.values()):
            if any(not 0 <= weight <= 1e6 for weight in table.values()):
                raise ValueError("a weight is a number from 0 on")

    def __call__(self, values: NamedValues) -> list[LabelScore]:
        """All labels with their joined scores.

        Raises:
            ValueError: The models have other classes, or all weights are zero.
        """
        table = self._by_context.get(str(values.get("context")), self._weights)
        experts = {name: values[name] for name in values if name != "context"}
        names = [entry["label"] for entry in next(iter(experts.values()))]
        scores = np.empty((len(experts), len(names)))
        for row, (name, labels) in enumerate(experts.items()):
            found = {entry["label"]: entry["score"] for entry in labels}
            if found.keys() != set(names):
                odd = sorted(found.keys() ^ set(names))
                raise ValueError(f"'{name}' has other classes than the other inputs; one of them is '{odd[0]}'")
            scores[row] = [found[label] for label in names]
        weights = np.array([table.get(name, 1.0) for name in experts])
        if not weights.sum():
            raise ValueError("all weights are zero")
        joined = self._joined(scores, weights if self._method == "logistic" else weights / weights.sum())
        order = np.argsort(-joined, kind="stable")
        return [{"label": names[index], "score": float(joined[index])} for index in order]

    def _joined(self, scores: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if self._method == "mean":
            return np.asarray(weights @ scores)
        return joined_scores(np.log(np.maximum(scores, LEAST)), weights)


def joined_scores(logs: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The softmax of the weighted sum of logarithms of scores.

    Args:
        logs: Shape (inputs, ..., classes).
        weights: Of the inputs.
    """
    sums = np.tensordot(weights, logs, axes=1)
    raised = np.exp(sums - sums.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
