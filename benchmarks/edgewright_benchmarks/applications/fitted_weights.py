"""Weights of a fusion, fitted on calibration data: how much each model's scores count, and how sure they are.

The joined score of a class is the softmax of the weighted sum of the logarithms of its scores, which is a logistic
regression with one coefficient for each model. First each model alone is given a temperature (C. Guo et al., On
Calibration of Modern Neural Networks, ICML 2017), from which the regression starts. The likelihood is concave in the
weights, so that there is one best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.result import DataFacts
from edgewright_runtime.applications.nodes.fuse import LEAST, joined_scores
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import LabelScore

Scores = NDArray[np.float64]
# Of all weights: a model that is right throughout would otherwise be given an infinite one.
_MOST: Final = 100.0
# Of the squared distance of a weight from 1: keeps it finite, and decides nothing where there are tens of samples.
_RIDGE: Final = 1e-3


@dataclass(frozen=True, kw_only=True)
class FittedWeights:
    """Weights that a build fitted for the step of a fusion.

    Attributes:
        step: Its name.
        weights: Input -> its weight.
        temperatures: Input -> the temperature that fits it alone; above 1 its scores are too sure.
        samples: Calibration samples that they were fitted on.
        log_loss: Of the fitted fusion on these samples, in nats; lower is better.
        log_loss_equal: The same with a weight of one over the number of inputs for each.
        data: The calibration data; None where it is not known.
    """

    step: str
    weights: dict[str, float]
    temperatures: dict[str, float]
    samples: int
    log_loss: float
    log_loss_equal: float
    data: DataFacts | None = None


def fit_weights(step: str, labels: Mapping[str, Sequence[Sequence[LabelScore]]], truth: Sequence[str]) -> FittedWeights:
    """The weights that make the true classes of calibration samples most likely.

    Args:
        step: The step that fuses.
        labels: Input -> the labels with scores of each sample, all of them.
        truth: The class of each sample.

    Raises:
        InputError: A class of the truth is not among the labels.
    """
    names = sorted({entry["label"] for entry in next(iter(labels.values()))[0]})
    for index, one in enumerate(truth):
        if one not in names:
            raise InputError(f"Sample {index + 1} has the class '{one}', which the inputs of '{step}' do not have.")
    right = np.array([names.index(one) for one in truth])
    logs = np.stack([_logs(labels[name], names) for name in labels])
    alone = [_best(logs[index : index + 1], right, np.ones(1))[0] for index in range(len(logs))]
    weights = _best(logs, right, np.array(alone) / len(alone))
    equal = np.full(len(logs), 1 / len(logs))
    return FittedWeights(
        step=step,
        weights={name: round(float(weight), 6) for name, weight in zip(labels, weights, strict=True)},
        temperatures={name: float(1 / weight) for name, weight in zip(labels, alone, strict=True)},
        samples=len(truth),
        log_loss=_loss(logs, right, weights),
        log_loss_equal=_loss(logs, right, equal),
    )


def _logs(labels: Sequence[Sequence[LabelScore]], names: Sequence[str]) -> Scores:
    """Logarithms of scores; shape (samples, classes)."""
    rows = [{entry["label"]: float(entry["score"]) for entry in one} for one in labels]
    scores = np.array([[row[name] for name in names] for row in rows], dtype=np.float64)
    return np.asarray(np.log(np.maximum(scores, LEAST)), dtype=np.float64)


def _best(logs: Scores, right: NDArray[np.int64], start: Scores) -> Scores:
    # Here, not above: a refusal need not wait for scipy.
    from scipy.optimize import minimize

    def loss(weights: Scores) -> tuple[float, Scores]:
        chances = joined_scores(logs, weights)
        rows = np.arange(len(right))
        # Of each input: what it gives the true class, less what it gives all classes as likely as they are.
        slope = logs[:, rows, right] - (chances * logs).sum(axis=2)
        ridge = _RIDGE / len(right) * float(((weights - 1) ** 2).sum())
        value = -float(np.log(np.maximum(chances[rows, right], LEAST)).mean()) + ridge
        return value, -slope.mean(axis=1) + 2 * _RIDGE / len(right) * (weights - 1)

    found = minimize(loss, np.clip(start, 1e-3, _MOST), jac=True, method="L-BFGS-B", bounds=[(0.0, _MOST)] * len(start))
    weights = np.asarray(found.x, dtype=np.float64)
    # No input counts: then there is nothing to fuse, and all count alike.
    return weights if weights.sum() > 1e-6 else np.full(len(weights), 1e-3)


def _loss(logs: Scores, right: NDArray[np.int64], weights: Scores) -> float:
    chances = joined_scores(logs, weights)[np.arange(len(right)), right]
    return float(-np.log(np.maximum(chances, LEAST)).mean())
