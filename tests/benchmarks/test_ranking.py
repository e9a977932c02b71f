"""Scorers of an order, against scikit-learn and by hand; broken engines lose."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score

from edgewright_benchmarks.accuracy import NO_DROP
from edgewright_benchmarks.metrics import metric_title
from edgewright_benchmarks.tasks import find_task
from edgewright_targets import InputError
from scoring import Output, score

RANDOM = np.random.default_rng(0)
SCORES = RANDOM.normal(size=(200, 12))
RIGHT = [tuple(row) for row in np.round(np.maximum(SCORES + RANDOM.normal(size=SCORES.shape), 0)).tolist()]
TASK = find_task("text-ranking")
BASELINE: list[Output] = [{"logits": row[:, None]} for row in SCORES]


def engine(scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[Output]:
    return [{"logits": row[:, None]} for row in scores]


def test_metrics() -> None:
    found = score(TASK.labelled, BASELINE, RIGHT, BASELINE)
    expected = {
        "ndcg_at_10": np.mean([ndcg_score([right], [row], k=10) for right, row in zip(RIGHT, SCORES, strict=True)]),
        "mean_average_precision": np.mean(
            [average_precision_score(np.array(right) > 0, row) for right, row in zip(RIGHT, SCORES, strict=True)]
        ),
    }
    assert list(found.metrics) == ["ndcg_at_10", "mrr_at_10", "mean_average_precision"]
    assert {name: found.metrics[name].value for name in expected} == pytest.approx(expected)
    assert all(one.low < one.value < one.high for one in found.metrics.values())
    assert found.drop == NO_DROP
    assert metric_title("ndcg_at_10", "accuracy", first=True) == "nDCG@10"


@pytest.mark.parametrize(
    ("scores", "right", "expected"),
    [
        ([0.1, 0.9, 0.5], (0, 0, 1), 1 / 2),
        ([0.1, 0.9, 0.5], (0, 1, 1), 1),
        ([0.5, 0.5, 0.5], (0, 0, 1), 1 / 3),
        (list(range(12)), (1, *[0] * 11), 0),
    ],
)
def test_the_reciprocal_rank(scores: list[float], right: tuple[float, ...], expected: float) -> None:
    outputs = engine(np.array([scores, scores], dtype=np.float64))
    assert score(TASK.labelled, outputs, [right, right], outputs).metrics["mrr_at_10"].value == pytest.approx(expected)


@pytest.mark.parametrize("broken", [np.zeros_like(SCORES), -SCORES, np.full_like(SCORES, np.nan)])
def test_a_broken_engine_loses(broken: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    assert score(TASK.labelled, engine(broken), RIGHT, BASELINE).drop.low > 0.2
    assert score(TASK.unlabelled, engine(broken), None, BASELINE).drop.low > 0.4


def test_agreement() -> None:
    assert score(TASK.unlabelled, BASELINE, None, BASELINE).drop == NO_DROP
    assert score(TASK.unlabelled, engine(SCORES * 2 + 1), None, BASELINE).metrics["agreement"].value == 1
    turned = SCORES.copy()
    best = np.argsort(SCORES, axis=1)[:, -2:]
    for row, (second, first) in zip(turned, best, strict=True):
        row[[second, first]] = row[[first, second]]
    found = score(TASK.unlabelled, engine(turned), None, BASELINE).metrics
    # One of 66 pairs is turned round in each query, and it is the first.
    assert found["agreement"].value == pytest.approx(65 / 66)
    assert found["top_1_agreement"].value == 0


def test_another_number_of_scores() -> None:
    with pytest.raises(InputError, match="has 3 passages, but the model gives 12"):
        score(TASK.labelled, BASELINE, [(1, 0, 0)] * len(BASELINE), BASELINE)
