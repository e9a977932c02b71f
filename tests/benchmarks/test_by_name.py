"""Metrics of named arrays that are asked for by name: their figures are those of the libraries, drops are paired."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, r2_score, roc_auc_score

from edgewright_benchmarks.accuracy.by_name import BY_NAME
from edgewright_benchmarks.accuracy.signals import si_sdr
from edgewright_benchmarks.metrics import METRICS
from edgewright_targets import InputError
from scoring import score

_RANDOM = np.random.default_rng(7)
TRUTH = _RANDOM.normal(size=(60, 3))
NEAR, FAR = TRUTH + _RANDOM.normal(size=(60, 3)) / 3, TRUTH + _RANDOM.normal(size=(60, 3))
CLASSES = _RANDOM.integers(2, size=60)
SINGLE = CLASSES + _RANDOM.normal(size=60)


def one_by_one(rows: Any) -> list[Any]:
    return [np.asarray(row)[None].astype(np.float32) for row in rows]


def test_r2_and_errors_are_those_of_scikit_learn() -> None:
    found = score(BY_NAME["mse"][1], one_by_one(FAR), list(TRUTH), one_by_one(NEAR))
    near, far = (float(r2_score(TRUTH, one, multioutput="variance_weighted")) for one in (NEAR, FAR))
    assert found.metrics["r2"].value == pytest.approx(far, abs=1e-6)
    assert found.drop.value == pytest.approx(near - far, abs=1e-6)
    assert found.drop.low < found.drop.value < found.drop.high
    assert found.metrics["mse"].value == pytest.approx(float(((FAR - TRUTH) ** 2).mean()), rel=1e-5)
    assert found.metrics["mae"].value == pytest.approx(float(np.abs(FAR - TRUTH).mean()), rel=1e-5)


def test_a_worse_model_than_the_mean_has_an_interval_around_its_r2() -> None:
    outputs = one_by_one(-TRUTH)
    r2 = score(BY_NAME["mse"][1], outputs, list(TRUTH), outputs).metrics["r2"]
    assert r2.low <= r2.value <= r2.high < 0


def test_the_correlation_is_that_of_scipy() -> None:
    found = score(BY_NAME["correlation"][1], one_by_one(FAR + 1000), list(TRUTH), one_by_one(NEAR))
    expected = float(stats.pearsonr((FAR + 1000).astype(np.float32).reshape(-1), TRUTH.reshape(-1)).statistic)
    assert found.metrics["pearson"].value == pytest.approx(expected, abs=1e-6)
    assert 0 < found.drop.value < found.drop.high


def test_what_is_not_finite_is_wrong() -> None:
    broken = one_by_one(NEAR)
    broken[5] = np.full((1, 3), np.nan, np.float32)
    for name in ("mse", "correlation"):
        found = score(BY_NAME[name][1], broken, list(TRUTH), one_by_one(NEAR))
        assert found.drop.value > 0.01
        assert "mse" not in found.metrics


@pytest.mark.parametrize("columns", [1, 2])
def test_the_auc_is_that_of_scikit_learn(columns: int) -> None:
    rows = np.stack([-SINGLE, SINGLE], axis=1)[:, -columns:]
    found = score(BY_NAME["auc"][1], one_by_one(rows), [*map(int, CLASSES)], one_by_one(CLASSES[:, None]))
    assert found.metrics["auc"].value == pytest.approx(float(roc_auc_score(CLASSES, SINGLE)), abs=1e-6)
    assert found.drop.value == pytest.approx(1 - found.metrics["auc"].value)


def test_the_f1_is_that_of_scikit_learn() -> None:
    right, scores = _RANDOM.integers(4, size=60), _RANDOM.normal(size=(60, 4)) + np.eye(4)[_RANDOM.integers(4, size=60)]
    outputs = one_by_one(scores)
    found = score(BY_NAME["f1"][1], outputs, [*map(int, right)], outputs)
    expected = float(f1_score(right, scores.argmax(axis=1), average="macro"))
    assert found.metrics["macro_f1"].value == pytest.approx(expected)


def test_one_decibel_is_one_point() -> None:
    right = _RANDOM.normal(size=(20, 400))
    noise = _RANDOM.normal(size=(20, 400))
    baseline, engine = one_by_one(right + 0.1 * noise), one_by_one(right + 0.1 * 10**0.1 * noise)
    found = score(BY_NAME["si-sdr"][1], engine, list(right), baseline)
    assert found.metrics["si_sdr"].value == pytest.approx(18, abs=0.3)
    assert found.drop.value == pytest.approx(0.02, abs=0.002)
    # Another loudness is no distortion, silence is the worst.
    assert si_sdr(3 * right[0], right[0]) == 50
    assert si_sdr(np.zeros(400), right[0]) == -50


def test_sequences_are_compared_by_edits() -> None:
    right = [(1, 2, 3, 4), (5, 6), (7,)]
    whole = [np.array([[1, 2, 3, 4]]), np.array([[5, 6, -1]]), np.array([[7]])]
    scores = np.eye(8, dtype=np.float32)[None, [1, 3, 4]]
    found = score(BY_NAME["edit-distance"][1], [scores, *whole[1:]], right, whole)
    assert found.metrics["edit_similarity"].value == pytest.approx((0.75 + 1 + 1) / 3)
    assert found.metrics["edit_distance"].value == pytest.approx(1 / 7)


def test_every_metric_by_name_is_in_the_table() -> None:
    for _, metric in BY_NAME.values():
        assert set(metric.names) <= set(METRICS)
        assert METRICS[metric.names[0]].higher_is_better


@pytest.mark.parametrize(
    ("name", "truth", "outputs", "says"),
    [
        ("auc", [1, 1, 1], np.ones((3, 1)), "needs samples of both classes"),
        ("auc", [0, 1, 2], np.ones((3, 1)), "both classes"),
        ("auc", [0, 1, 1], np.ones((3, 4)), "the model gives 4"),
        ("f1", [0.5, 1.0, 0.0], np.ones((3, 2)), "ground truth of a sample is 0.5"),
        ("mse", [1.0, 2.0, 3.0], np.ones((3, 2)), "sample 1 is 1 numbers; the model gives 2"),
        ("mse", [1.0, 1.0, 1.0], np.ones((3, 1)), "the same"),
        ("si-sdr", [np.zeros(4)] * 3, np.ones((3, 4)), "sample 1 is silent"),
        ("si-sdr", [np.ones(5)] * 3, np.ones((3, 4)), "5 values; the model gives 4"),
        ("edit-distance", [(1,)] * 3, np.ones(3), "shape [steps, classes]"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, truth: list[Any], outputs: Any, says: str) -> None:
    rows = [np.asarray(row, np.float32) for row in outputs] if outputs.ndim == 1 else one_by_one(outputs)
    with pytest.raises(InputError, match=says.replace("[", r"\[").replace("]", r"\]")):
        score(BY_NAME[name][1], rows, truth, rows)
