"""A class index as ground truth beside one score: a threshold decides, for the best of one column is always it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from edgewright_benchmarks.data import read_dataset
from edgewright_benchmarks.judging.baseline_doubt import baseline_doubt
from edgewright_benchmarks.metrics import metric_title
from edgewright_benchmarks.tasks import find_task
from edgewright_targets import InputError
from scoring import Output, predictions, score

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
    accuracy = score(find_task("arrays").labelled, outputs, TRUTH, outputs)
    assert list(accuracy.metrics) == ["accuracy", "auc", "macro_f1"]
    assert accuracy.metrics["accuracy"].value == 1
    assert accuracy.metrics["auc"].value == 1


@pytest.mark.parametrize("constant", [0.0, 1.0, np.nan, 30.0])
@pytest.mark.parametrize("head", ["sigmoid", "logits"])
def test_an_engine_of_one_answer_loses(head: str, constant: float) -> None:
    broken = column(np.full(len(LOGITS), constant))
    accuracy = score(find_task("arrays").labelled, broken, TRUTH, HEADS[head])
    assert accuracy.drop.low > 0.4


@pytest.mark.parametrize("task", ["text-classification", "image-classification", "audio-classification"])
def test_agreement_of_single_scores(task: str) -> None:
    flipped = LOGITS.copy()
    flipped[:100] *= -1
    accuracy = score(find_task(task).unlabelled, column(flipped), None, HEADS["logits"])
    assert accuracy.metrics["agreement"].value == 0.75


def test_auc_with_its_interval() -> None:
    noisy = LOGITS + np.random.default_rng(1).normal(size=len(LOGITS))
    auc = score(find_task("arrays").labelled, column(noisy), TRUTH, HEADS["logits"]).metrics["auc"]
    assert auc.value == pytest.approx(roc_auc_score(TRUTH, noisy.astype(np.float32)))
    assert auc.low < auc.value < auc.high < 1
    # Equal scores share their places, in each resample too.
    rounded = np.round(noisy)
    auc = score(find_task("arrays").labelled, column(rounded), TRUTH, HEADS["logits"]).metrics["auc"]
    assert auc.value == pytest.approx(roc_auc_score(TRUTH, rounded))
    assert auc.low < auc.value < auc.high < auc.low + 0.12
    assert metric_title("auc", "accuracy", first=False) == "AUC"


def test_no_auc_of_one_class() -> None:
    accuracy = score(find_task("arrays").labelled, HEADS["logits"], [1] * len(TRUTH), HEADS["logits"])
    assert "auc" not in accuracy.metrics


@pytest.mark.parametrize(("width", "says"), [(1, "one score, for 0 and 1"), (3, "of the classes 0 to 2")])
def test_classes_without_a_score_are_refused(width: int, says: str) -> None:
    outputs: list[Output] = [np.arange(width, dtype=np.float32)] * 4
    with pytest.raises(InputError, match=says):
        score(find_task("arrays").labelled, outputs, [0, 1, 1, 3], outputs)


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
    # A baseline of one answer is doubted whatever the form.
    constant = column(np.full(len(TRUTH), 3.0))
    figure = score(find_task("arrays").labelled, constant, TRUTH, constant)
    assert baseline_doubt(figure, predictions(constant), TRUTH)
    assert baseline_doubt(figure, predictions(constant), [float(index) for index in TRUTH]) == baseline_doubt(
        figure, predictions(constant), TRUTH
    )
    # With a point they are classes as long as there is no other number.
    truth = [float(index) for index in TRUTH]
    assert "accuracy" in score(find_task("arrays").labelled, HEADS["logits"], truth, HEADS["logits"]).metrics


@pytest.mark.parametrize(
    ("label", "says"),
    [
        (np.array([0, 1, -1]), "class indices start at 0"),
        (np.array([0.5, np.nan, 1.0]), r"NaN or infinite values in 1 of 3 samples \(the first: 1\)"),
        (np.array(["a", "b", "c"]), "must hold a class index or a number"),
        (np.array([[0, 1], [1, 2], [0, 0]]), "2 columns with other values than 0 and 1"),
        (np.zeros((3, 2, 2)), r"of shape \[3, 2, 2\]"),
    ],
)
def test_labels_that_are_none(tmp_path: Path, label: NDArray[np.generic], says: str) -> None:
    np.savez(tmp_path / "data.npz", x=LOGITS[:3, None].astype(np.float32), label=label)
    with pytest.raises(InputError, match=says):
        read_dataset(tmp_path / "data.npz", task="arrays", input_name="*")


def test_numbers_and_several_labels_of_arrays(tmp_path: Path) -> None:
    logits = np.random.default_rng(2).normal(size=(60, 3))
    found = {}
    for name, label in {"number": logits[:, 0].astype(np.float32), "labels": logits > 0}.items():
        np.savez(tmp_path / f"{name}.npz", x=logits, label=label)
        found[name] = read_dataset(tmp_path / f"{name}.npz", task="arrays", input_name="*").labels
    scorer = find_task("arrays").labelled
    single, several = column(logits[:, 0]), [{"scores": row[None]} for row in logits]
    assert score(scorer, single, found["number"], single).metrics["spearman"].value == 1
    assert score(scorer, several, found["labels"], several).metrics["micro_f1"].value == 1
    # Whole numbers with a point, such as ages, are numbers where they are more than 0 and 1.
    years = np.round(logits[:, 0] * 10 + 40).tolist()
    figure = score(scorer, single, years, single)
    assert figure.metrics["spearman"].value > 0.99
    assert baseline_doubt(figure, predictions(column(np.array(years))), years) == ""
    with pytest.raises(InputError, match="but the model gives 3"):
        score(scorer, several, found["number"], several)
