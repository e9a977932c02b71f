"""Scorers of numbers and of several labels, against scipy and scikit-learn; broken engines lose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, f1_score

from edgewright_benchmarks.accuracy import NO_DROP
from edgewright_benchmarks.metrics import metric_title, metric_value
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import Output, score

RANDOM = np.random.default_rng(0)
RIGHT = RANDOM.normal(size=600)
FLOAT = RIGHT + RANDOM.normal(size=600) * 0.3
REGRESSION = find_task("text-regression")
BINARY = find_task("binary-text-classification")
SEVERAL = find_task("multi-label-text-classification")


def numbers(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[Output]:
    """Outputs as of a worker: logits, and the number that a person gets."""
    return [
        {"logits": np.array([[2 * value]]), ANSWER: pack_answer([{"label": "LABEL_0", "score": value}])}
        for value in values
    ]


def test_a_number_is_the_one_that_a_person_gets() -> None:
    baseline = numbers(FLOAT)
    found = score(REGRESSION.labelled, baseline, RIGHT.tolist(), baseline)
    assert list(found.metrics) == ["spearman", "mse"]
    assert found.metrics["spearman"].value == pytest.approx(stats.spearmanr(FLOAT, RIGHT).statistic)
    assert found.metrics["mse"].value == pytest.approx(((FLOAT - RIGHT) ** 2).mean())
    assert all(one.low < one.value < one.high for one in found.metrics.values())
    assert found.drop == NO_DROP


def test_equal_numbers_share_their_ranks() -> None:
    rounded, right = np.round(FLOAT), np.round(RIGHT)
    outputs: list[Output] = [np.array([value]) for value in rounded]
    found = score(REGRESSION.labelled, outputs, right.tolist(), outputs)
    assert found.metrics["spearman"].value == pytest.approx(stats.spearmanr(rounded, right).statistic)


def test_what_is_lost_of_the_order() -> None:
    baseline = numbers(FLOAT)
    worse = FLOAT + RANDOM.normal(size=600) * 0.5
    found = score(REGRESSION.labelled, numbers(worse), RIGHT.tolist(), baseline, max_drop=0.01)
    lost = stats.spearmanr(FLOAT, RIGHT).statistic - stats.spearmanr(worse, RIGHT).statistic
    assert found.drop.value == pytest.approx(lost)
    assert 0 < found.drop.low < lost < found.drop.high < 2 * lost


def test_the_bound_of_a_loss_holds() -> None:
    """In most draws of 200 samples the true loss lies below the bound: in 19 of 20, were there no end of them."""
    random = np.random.default_rng(5)
    right = random.normal(size=20_000)
    some = right + random.normal(size=right.size) * 0.5
    other = some + random.normal(size=right.size) * 0.3
    true = stats.spearmanr(some, right).statistic - stats.spearmanr(other, right).statistic
    held = 0
    for _ in range(20):
        rows = random.integers(right.size, size=200)
        baseline: list[Output] = list(some[rows, None])
        engine: list[Output] = list(other[rows, None])
        held += score(REGRESSION.labelled, engine, right[rows].tolist(), baseline).drop.high >= true
    assert held >= 17


def test_the_same_answers_show_no_more_than_their_number() -> None:
    baseline = numbers(FLOAT)
    found = score(REGRESSION.labelled, list(baseline), RIGHT.tolist(), baseline, max_drop=0.005)
    assert found.drop.value == 0
    assert 0.005 < found.drop.high < 0.01
    assert found.samples_needed is not None
    assert found.samples_needed > 1000


@pytest.mark.parametrize("constant", [0.0, np.nan, np.inf])
def test_a_constant_orders_nothing(constant: float) -> None:
    baseline = numbers(FLOAT)
    found = score(REGRESSION.labelled, numbers(np.full(600, constant)), RIGHT.tolist(), baseline)
    assert found.metrics["spearman"].value <= 0
    assert found.drop.low > 0.8
    assert ("mse" in found.metrics) == np.isfinite(constant)
    assert score(REGRESSION.unlabelled, numbers(np.full(600, constant)), None, baseline).drop.low > 0.1


def test_agreement_of_numbers() -> None:
    baseline = numbers(FLOAT)
    assert score(REGRESSION.unlabelled, baseline, None, baseline).drop == NO_DROP
    moved = score(REGRESSION.unlabelled, numbers(FLOAT + 0.1 * np.ptp(FLOAT)), None, baseline)
    assert moved.metrics["agreement"].value == pytest.approx(0.9)
    same = numbers(np.ones(5))
    assert score(REGRESSION.unlabelled, list(same), None, same).metrics["agreement"].value == 1
    assert score(REGRESSION.unlabelled, numbers(np.zeros(5)), None, same).metrics["agreement"].value == 0


def test_more_than_one_number_is_refused() -> None:
    outputs: list[Output] = [np.zeros((1, 2)), np.ones((1, 2))]
    with pytest.raises(InputError, match="the model gives 2"):
        score(REGRESSION.labelled, outputs, [0.5, 1.0], outputs)
    with pytest.raises(InputError, match="are equal"):
        score(REGRESSION.labelled, outputs, [0.5, 0.5], outputs)


def test_how_they_are_called() -> None:
    assert metric_title("spearman", "accuracy", first=True) == "Spearman correlation"
    assert metric_title("mse", "accuracy", first=False) == "Mean squared error"
    assert (metric_value("mse", 2.5), metric_value("spearman", 0.875)) == ("2.50", "87.50%")


# All logits lie from 0 to 1, as probabilities do: only the answer tells what they are.
LOGITS = RANDOM.uniform(0.01, 0.99, size=(300, 4))


def scored(logits: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, activated: bool = False) -> list[Output]:
    """Outputs as of a worker: scores, and the best of them as a person gets it."""
    scores = logits if activated else 1 / (1 + np.exp(-logits))
    return [
        {"logits": row[None], ANSWER: pack_answer([{"label": "a", "score": float(made.max())}])}
        for row, made in zip(logits, scores, strict=True)
    ]


@pytest.mark.parametrize(("activated", "cut"), [(True, 0.5), (False, 0.0)])
def test_the_answer_tells_logits_from_probabilities(activated: bool, cut: float) -> None:
    one = LOGITS[:, :1]
    baseline = scored(one, activated=activated)
    truth = (one[:, 0] > 0.5).astype(int).tolist()
    accuracy = score(BINARY.labelled, baseline, truth, baseline)
    assert accuracy.metrics["accuracy"].value == np.mean((one[:, 0] > cut) == truth)
    assert accuracy.metrics["auc"].value == 1
    several = scored(LOGITS, activated=activated)
    wanted = [np.flatnonzero(row > cut).tolist() for row in LOGITS]
    assert score(SEVERAL.labelled, several, wanted, several).metrics["micro_f1"].value == 1


def test_the_rest_of_two_classes_is_of_the_first() -> None:
    probabilities = np.array([0.2, 0.9, 0.4, 0.6])
    baseline: list[Output] = [
        {"p": np.array([[one]]), ANSWER: pack_answer([{"label": "b", "score": max(one, 1 - one)}])}
        for one in probabilities
    ]
    assert score(BINARY.labelled, baseline, [0, 1, 0, 1], baseline).metrics["accuracy"].value == 1


class TestSeveralLabels:
    logits = RANDOM.normal(size=(400, 5)) - 0.5
    noisy = logits + RANDOM.normal(size=logits.shape)
    # The last label never occurs, and is no part of any mean over labels.
    right = (noisy > 0) & (np.arange(5) < 4)
    truth = tuple(tuple(np.flatnonzero(row).tolist()) for row in right)

    def test_metrics(self) -> None:
        baseline: list[Output] = list(self.logits)
        found = score(SEVERAL.labelled, baseline, self.truth, baseline)
        answered = self.logits > 0
        assert list(found.metrics) == ["micro_f1", "macro_f1", "average_precision"]
        expected = {
            "micro_f1": f1_score(self.right, answered, average="micro"),
            "macro_f1": f1_score(self.right[:, :4], answered[:, :4], average="macro"),
            "average_precision": average_precision_score(self.right[:, :4], self.logits[:, :4], average="macro"),
        }
        assert {name: one.value for name, one in found.metrics.items()} == pytest.approx(expected)
        assert all(one.low < one.value < one.high for one in found.metrics.values())

    def test_average_precision_of_equal_scores(self) -> None:
        rounded = np.round(self.logits)
        baseline: list[Output] = list(rounded)
        found = score(SEVERAL.labelled, baseline, self.truth, baseline).metrics["average_precision"]
        wanted = average_precision_score(self.right[:, :4], rounded[:, :4], average="macro")
        assert found.value == pytest.approx(wanted)
        assert found.low < wanted < found.high
        assert found.high - found.low < 0.12

    @pytest.mark.parametrize("broken", [np.full((400, 5), -9.0), np.full((400, 5), np.nan), logits[:, :3]])
    def test_a_broken_engine_loses(self, broken: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
        baseline: list[Output] = list(self.logits)
        assert score(SEVERAL.labelled, list(broken), self.truth, baseline).drop.low > 0.3
        assert score(SEVERAL.unlabelled, list(broken), None, baseline).drop.low > 0.3

    def test_agreement(self) -> None:
        baseline: list[Output] = list(self.logits)
        assert score(SEVERAL.unlabelled, baseline, None, baseline).drop == NO_DROP
        found = score(SEVERAL.unlabelled, list(self.noisy), None, baseline).metrics["agreement"]
        assert found.value == pytest.approx(f1_score(self.logits > 0, self.noisy > 0, average="micro"))

    def test_labels_without_a_score(self) -> None:
        baseline: list[Output] = list(self.logits)
        with pytest.raises(InputError, match="has the label 5; the model gives 5 scores"):
            score(SEVERAL.labelled, baseline, [*self.truth[1:], (0, 5)], baseline)
