"""Scorers, on outputs small enough to check by hand; outputs that are not finite must neither crash nor look good."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from edgewright_benchmarks.accuracy import Metric
from edgewright_benchmarks.accuracy.agreement import similarity
from edgewright_benchmarks.tasks import TASKS, find_task
from edgewright_benchmarks.truth.ground_truth import NOTHING
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import Output, prediction, score


def scores(classes: list[int], count: int = 3) -> list[Output]:
    """Scores that put the given classes first."""
    return [np.eye(count, dtype=np.float32)[index] for index in classes]


def broken(outputs: list[Output], value: float, index: int = 0) -> list[Output]:
    """The same outputs, with one value of one sample not finite."""
    changed = [np.array(output) for output in outputs]
    changed[index][0] = value
    return list(changed)


class TestLabelled:
    scorer: Metric[Any] = find_task("text-classification").metric(labelled=True)
    truth = (0, 1, 2, 0, 1, 2, 0, 1, 2, 0) * 20

    def test_metrics_and_drop(self) -> None:
        baseline = scores(list(self.truth))
        predicted = [0 if index < 10 else label for index, label in enumerate(self.truth)]
        accuracy = score(self.scorer, scores(predicted), self.truth, baseline)
        assert accuracy.samples == 200
        assert list(accuracy.metrics) == ["accuracy", "macro_f1"]
        assert accuracy.metrics["accuracy"].value == pytest.approx(194 / 200)
        assert accuracy.metrics["macro_f1"].value == pytest.approx(f1_score(self.truth, predicted, average="macro"))
        assert accuracy.metrics["macro_f1"].low < accuracy.metrics["macro_f1"].value < accuracy.metrics["macro_f1"].high
        assert accuracy.drop.value == pytest.approx(6 / 200)
        assert accuracy.drop.low < accuracy.drop.value < accuracy.drop.high

    def test_the_baseline_loses_nothing_by_definition(self) -> None:
        baseline = scores(list(self.truth))
        drop = score(self.scorer, baseline, self.truth, baseline, max_drop=0.001).drop
        assert (drop.value, drop.low, drop.high) == (0, 0, 0)

    def test_another_engine_with_the_same_answers_may_still_lose(self) -> None:
        baseline = scores(list(self.truth))
        accuracy = score(self.scorer, list(baseline), self.truth, baseline, max_drop=0.01)
        assert accuracy.drop.value == 0
        assert accuracy.drop.high > 0.01
        assert accuracy.samples_needed == 268

    def test_all_right_is_no_certainty(self) -> None:
        baseline = scores(list(self.truth))
        f1 = score(self.scorer, baseline, self.truth, baseline).metrics["macro_f1"]
        assert (f1.value, f1.high) == (1, 1)
        assert f1.low < 1

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_no_finite_answer_is_a_wrong_answer(self, value: float) -> None:
        baseline = scores(list(self.truth))
        accuracy = score(self.scorer, broken(baseline, value), self.truth, baseline)
        assert accuracy.metrics["accuracy"].value == pytest.approx(199 / 200)
        assert accuracy.metrics["macro_f1"].value < 1
        assert accuracy.drop.value == pytest.approx(1 / 200)

    def test_a_masked_class_is_never_the_answer(self) -> None:
        masked = [np.array([-np.inf, 0.5, 0.25])] * 200
        accuracy = score(self.scorer, masked, [1] * 200, masked)
        assert accuracy.metrics["accuracy"].value == 1
        assert score(self.scorer, masked, [0] * 200, masked).metrics["accuracy"].value == 0

    def test_the_name_of_the_class_beside_its_scores_is_no_score(self) -> None:
        outputs: list[Output] = [{"label": np.array(["b"]), "scores": np.array([[0.1, 0.9]])}] * 200
        assert score(self.scorer, outputs, [1] * 200, outputs).metrics["accuracy"].value == 1

    def test_nothing_but_nan(self) -> None:
        baseline = scores(list(self.truth))
        accuracy = score(self.scorer, [np.full(3, np.nan)] * 200, self.truth, baseline, max_drop=0.5)
        assert accuracy.metrics["accuracy"].value == accuracy.metrics["macro_f1"].value == 0
        assert accuracy.drop.value == 1
        assert accuracy.samples_needed is None

    def test_a_batch_dimension_and_one_named_output_are_read(self) -> None:
        baseline: list[Output] = [{"logits": np.asarray(output)[None]} for output in scores([0, 1, 2])]
        assert score(self.scorer, baseline, [0, 1, 2], baseline).metrics["accuracy"].value == 1

    @pytest.mark.parametrize("truth", [None, [0, 1], [0, 1, -1], [0.0, 1.0, 2.0], ["a", "b", "c"]])
    def test_refuses_labels_that_do_not_fit(self, truth: list[int] | None) -> None:
        baseline = scores([0, 1, 2])
        with pytest.raises(InputError, match="class index"):
            score(self.scorer, baseline, truth, baseline)

    def test_refuses_several_outputs(self) -> None:
        several: list[Output] = [{"a": np.ones(2), "b": np.ones(2)}]
        with pytest.raises(InputError, match="a, b"):
            score(self.scorer, several, [0], several)


class TestTopClassAgreement:
    scorer: Metric[Any] = find_task("text-classification").metric(labelled=False)

    def test_share_of_the_same_class(self) -> None:
        baseline = scores([0, 1, 2] * 100)
        accuracy = score(self.scorer, scores([1, 0, 2] + [0, 1, 2] * 99), None, baseline, max_drop=0.01)
        assert accuracy.metrics["agreement"].value == pytest.approx(298 / 300)
        assert accuracy.drop.value == pytest.approx(2 / 300)
        assert 0 <= accuracy.drop.low < accuracy.drop.value < 0.01 < accuracy.drop.high
        assert accuracy.samples_needed is not None
        assert accuracy.samples_needed > 300

    def test_the_baseline_agrees_with_itself(self) -> None:
        baseline = broken(scores([0, 1, 2]), np.nan)
        accuracy = score(self.scorer, baseline, None, baseline)
        assert accuracy.metrics["agreement"].value == 1
        assert accuracy.drop.high == 0

    def test_nan_never_agrees_not_even_with_nan(self) -> None:
        sound = scores([0, 1, 2])
        nan = broken(sound, np.nan)
        for outputs, baseline in ((nan, sound), (sound, nan), (nan, list(nan))):
            assert score(self.scorer, outputs, None, baseline).metrics["agreement"].value == pytest.approx(2 / 3)


class TestSimilarityAgreement:
    scorer: Metric[Any] = find_task("arrays").metric(labelled=False)

    def test_outputs_of_any_kind(self) -> None:
        rng = np.random.default_rng(0)
        baseline: list[Output] = [
            {"boxes": rng.normal(size=(1, 5, 4)).astype(np.float32), "scores": rng.random((1, 5))} for _ in range(400)
        ]
        outputs: list[Output] = [
            {name: array + rng.normal(size=array.shape) * 0.01 for name, array in sample.items()}
            for sample in baseline
            if isinstance(sample, dict)
        ]
        accuracy = score(self.scorer, outputs, None, baseline, max_drop=0.01)
        assert 0.999 < accuracy.metrics["agreement"].value < 1
        assert accuracy.metrics["agreement"].low < accuracy.metrics["agreement"].value
        assert accuracy.metrics["agreement"].high <= 1
        assert 0 <= accuracy.drop.low < accuracy.drop.value < accuracy.drop.high <= 0.01
        assert accuracy.samples_needed is None

    def test_nan_counts_as_no_agreement(self) -> None:
        baseline: list[Output] = [np.ones(4)] * 10
        accuracy = score(self.scorer, broken(baseline, np.nan), None, baseline, max_drop=0.5)
        assert accuracy.metrics["agreement"].value == pytest.approx(0.9)

    def test_too_few_samples_are_said_so(self) -> None:
        baseline: list[Output] = [np.ones(4)] * 50
        accuracy = score(self.scorer, list(baseline), None, baseline, max_drop=0.01)
        assert accuracy.drop.high > 0.01
        assert accuracy.samples_needed == 268


def test_the_answer_beside_the_scores_is_no_second_output() -> None:
    """As of BLIP's matching, whose answer is more than its scores."""
    scores = [np.array([[0.1, 0.9]]), np.array([[0.8, 0.2]])]
    outputs = [{"itm_score": one, ANSWER: pack_answer({"score": 0.5})} for one in scores]
    accuracy = score(find_task("image-text-matching").labelled, outputs, [1, 1], outputs)
    assert accuracy.metrics["accuracy"].value == 0.5


def alike(output: Output, baseline: Output) -> float:
    return similarity(prediction(output), prediction(baseline))


class TestSimilarity:
    def test_is_the_cosine_of_rows_of_one_length(self) -> None:
        assert alike(np.array([1.0, 0.0]), np.array([0.6, 0.8])) == pytest.approx(0.6)

    def test_a_factor_is_no_agreement(self) -> None:
        assert alike(np.array([2.0]), np.array([1.0])) == pytest.approx(0.8)

    @pytest.mark.parametrize(
        ("output", "baseline", "expected"),
        [
            ([0.0, 0.0], [0.0, 0.0], 1),
            ([0.0, 0.0], [1.0, 0.0], 0),
            ([-1.0, 0.0], [1.0, 0.0], 0),
            ([1.0], [1.0, 1.0], 0),
            # Masked classes on both sides are not a difference, and on one side a whole one.
            ([np.inf, 1.0], [np.inf, 1.0], 1),
            ([-np.inf, 0.6, 0.8], [-np.inf, 1.0, 0.0], 0.6),
            ([np.nan, 1.0], [np.nan, 1.0], 1),
            ([-np.inf, 1.0], [np.inf, 1.0], 0),
            ([-np.inf, 1.0], [0.0, 1.0], 0),
            ([np.nan, 1.0], [np.inf, 1.0], 0),
            ([1e300, 1e300], [1e300, 1e300], 1),
            ([], [], 1),
        ],
    )
    def test_edges(self, output: list[float], baseline: list[float], expected: float) -> None:
        assert alike(np.array(output), np.array(baseline)) == pytest.approx(expected)

    @pytest.mark.parametrize(("label", "expected"), [("cat", 1), ("dog", 0)])
    def test_texts_are_the_same_or_not(self, label: str, expected: float) -> None:
        scores = np.array([0.2, 0.8])
        baseline = {"label": np.array(["cat"]), "scores": scores}
        for kind in (object, "U8"):
            assert alike({"label": np.array([label], kind), "scores": scores}, baseline) == expected

    def test_half_precision_does_not_overflow(self) -> None:
        row = np.full(1000, 60000, dtype=np.float16)
        assert alike(row, row.astype(np.float32)) == pytest.approx(1)


@pytest.mark.parametrize("task", [task.name for task in TASKS])
@pytest.mark.parametrize("labelled", [True, False])
def test_every_scorer_refuses_other_samples(task: str, labelled: bool) -> None:
    if labelled and find_task(task).truth is NOTHING:
        pytest.skip("this task has no labels")
    found = find_task(task).metric(labelled=labelled)
    assert found.measure == ("accuracy" if labelled else "agreement")
    for outputs in ([], scores([0])):
        with pytest.raises(InputError, match="same samples"):
            score(found, outputs, [0, 1], scores([0, 1]))


def test_an_unknown_task_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'text-classification'"):
        find_task("text-clasification")
