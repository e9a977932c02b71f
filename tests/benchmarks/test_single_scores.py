"""A class index as ground truth beside one score: a threshold decides, for the best of one column is always it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from edgewright_benchmarks.accuracy import Output
from edgewright_benchmarks.data import read_dataset
from edgewright_benchmarks.report.words import metric_word
from edgewright_benchmarks.tasks import find_task
from edgewright_targets import InputError

LOGITS = np.random.default_rng(0).normal(size=400)
TRUTH = [int(logit > 0) for logit in LOGITS]


def column(values: NDArray[np.float64], shape: tuple[int, ...] = (1, 1)) -> list[Output]:
    return [{"score": np.full(shape, value, dtype=np.float32)} for value in values]


HEADS = {
    "sigmoid": column(1 / (1 + np.exp(-LOGITS))),
    "logits": column(LOGITS),
    "no axis of classes": column(LOGITS, (1,)),
    "no axis at all": column(1 / (1 + np.exp(-LOGITS)), ()),
    "from minus one to one": column(np.tanh(LOGITS)),
}


@pytest.mark.parametrize("head", HEADS)
def test_a_threshold_decides(head: str) -> None:
    outputs = HEADS[head]
    accuracy = find_task("arrays").labelled.score(outputs, TRUTH, outputs)
    assert list(accuracy.metrics) == ["accuracy", "auc", "macro_f1"]
    assert accuracy.metrics["accuracy"].value == 1
    assert accuracy.metrics["auc"].value == 1


@pytest.mark.parametrize("constant", [0.0, 1.0, np.nan, 30.0])
@pytest.mark.parametrize("head", ["sigmoid", "logits"])
def test_an_engine_of_one_answer_loses(head: str, constant: float) -> None:
    broken = column(np.full(len(LOGITS), constant))
    accuracy = find_task("arrays").labelled.score(broken, TRUTH, HEADS[head])
    assert accuracy.drop.low > 0.4


@pytest.mark.parametrize("task", ["text-classification", "image-classification", "audio-classification"])
def test_agreement_of_single_scores(task: str) -> None:
    flipped = LOGITS.copy()
    flipped[:100] *= -1
    accuracy = find_task(task).unlabelled.score(column(flipped), None, HEADS["logits"])
    assert accuracy.metrics["agreement"].value == 0.75


def test_auc_with_its_interval() -> None:
    noisy = LOGITS + np.random.default_rng(1).normal(size=len(LOGITS))
    auc = find_task("arrays").labelled.score(column(noisy), TRUTH, HEADS["logits"]).metrics["auc"]
    assert auc.value == pytest.approx(roc_auc_score(TRUTH, noisy.astype(np.float32)))
    assert auc.low < auc.value < auc.high < 1
    # Equal scores share their places, in each resample too.
    rounded = np.round(noisy)
    auc = find_task("arrays").labelled.score(column(rounded), TRUTH, HEADS["logits"]).metrics["auc"]
    assert auc.value == pytest.approx(roc_auc_score(TRUTH, rounded))
    assert auc.low < auc.value < auc.high < auc.low + 0.12
    assert metric_word("auc", "accuracy", first=False) == "AUC"


def test_no_auc_of_one_class() -> None:
    accuracy = find_task("arrays").labelled.score(HEADS["logits"], [1] * len(TRUTH), HEADS["logits"])
    assert "auc" not in accuracy.metrics


@pytest.mark.parametrize(("width", "says"), [(1, "one score, which tells 0 from 1"), (3, "of the classes 0 to 2")])
def test_classes_without_a_score_are_refused(width: int, says: str) -> None:
    outputs: list[Output] = [np.arange(width, dtype=np.float32)] * 4
    with pytest.raises(InputError, match=says):
        find_task("arrays").labelled.score(outputs, [0, 1, 1, 3], outputs)


@pytest.mark.parametrize(
    "label",
    [
        np.array(TRUTH, dtype=bool),
        np.array(TRUTH, dtype=np.float32),
        np.array(TRUTH)[:, None],
        np.array(TRUTH, dtype=np.float32)[:, None],
    ],
    ids=["yes and no", "with a point", "a column", "a column with a point"],
)
def test_forms_of_labels(tmp_path: Path, label: NDArray[np.generic]) -> None:
    np.savez(tmp_path / "data.npz", x=LOGITS[:, None].astype(np.float32), label=label)
    assert read_dataset(tmp_path / "data.npz", task="arrays", input_name="*").labels == tuple(TRUTH)


@pytest.mark.parametrize("value", [-1, 0.5, np.nan])
def test_labels_that_are_no_indices(tmp_path: Path, value: float) -> None:
    labels = np.array([*TRUTH[1:], value])
    np.savez(tmp_path / "data.npz", x=LOGITS[:, None].astype(np.float32), label=labels)
    with pytest.raises(InputError, match="class ind"):
        read_dataset(tmp_path / "data.npz", task="arrays", input_name="*")
