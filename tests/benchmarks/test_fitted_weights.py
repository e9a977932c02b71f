"""Weights of a fusion that make the true classes most likely: those of a logistic regression, by scikit-learn."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from edgewright_benchmarks.applications.fitted_weights import fit_weights
from edgewright_runtime.answer_types import LabelScore
from edgewright_runtime.applications.nodes import make_node
from edgewright_targets import InputError

Scores = NDArray[np.float64]


def labelled(logits: Scores) -> list[list[LabelScore]]:
    """What a classifier gives, best first: the order of labels is another one in each sample."""
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return [[{"label": "abc"[index], "score": float(row[index])} for index in np.argsort(-row)] for row in scores]


def experts(classes: int, samples: int = 2000) -> tuple[Scores, Scores, NDArray[np.int64]]:
    """A model that knows something and is three times too sure, one that knows nothing, and the truth."""
    random = np.random.default_rng(0)
    logits = 1.5 * random.normal(size=(samples, classes))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([random.choice(classes, p=row) for row in chances])
    return 3 * logits, random.normal(size=(samples, classes)), truth


def test_a_model_that_is_too_sure_gets_its_temperature_and_one_that_knows_nothing_no_weight() -> None:
    sure, noise, truth = experts(3)
    names = ["abc"[index] for index in truth]
    found = fit_weights("both", {"sure": labelled(sure), "noise": labelled(noise)}, names)
    assert found.temperatures["sure"] == pytest.approx(3, rel=0.1)
    assert found.weights["sure"] == pytest.approx(1 / 3, rel=0.1)
    assert found.weights["noise"] < 0.1
    assert found.log_loss < found.log_loss_equal
    assert found.samples == 2000


def test_they_are_those_of_a_logistic_regression() -> None:
    sure, other, truth = experts(2)
    other += 0.5 * sure
    features = np.stack([one[:, 1] - one[:, 0] for one in (sure, other)], axis=1)
    peer = LogisticRegression(fit_intercept=False, C=1e6).fit(features, truth)
    names = ["abc"[index] for index in truth]
    found = fit_weights("both", {"one": labelled(sure), "other": labelled(other)}, names)
    expected = np.clip(peer.coef_[0], 0, None)
    assert list(found.weights.values()) == pytest.approx(expected.tolist(), abs=0.01)


def test_the_node_joins_scores_as_they_were_fitted() -> None:
    sure, noise, truth = experts(3, samples=200)
    labels = {"sure": labelled(sure), "noise": labelled(noise)}
    found = fit_weights("both", labels, ["abc"[index] for index in truth])
    node = make_node("fuse", {"weights": found.weights, "method": "logistic"})
    joined = [node({name: values[index] for name, values in labels.items()}) for index in range(200)]
    chances = [
        {entry["label"]: entry["score"] for entry in one}["abc"[right]]
        for one, right in zip(joined, truth, strict=True)
    ]
    assert -np.log(chances).mean() == pytest.approx(found.log_loss, abs=1e-4)
    assert sum(entry["score"] for entry in joined[0]) == pytest.approx(1)


def test_a_class_that_no_model_has_is_refused() -> None:
    sure, _, _ = experts(3, samples=2)
    with pytest.raises(InputError, match="Sample 2 has the class 'z'"):
        fit_weights("both", {"sure": labelled(sure)}, ["a", "z"])
