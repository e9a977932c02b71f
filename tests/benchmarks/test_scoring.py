"""What all metrics share: the baseline is scored once, and predictions are stored as they travel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from edgewright_benchmarks.accuracy import NO_DROP, Scores, Scoring
from edgewright_benchmarks.accuracy.classification import Classes, LabelledClassification
from edgewright_benchmarks.predictions import (
    Prediction,
    arrays_from_prediction,
    prediction_from_arrays,
)
from edgewright_runtime.samples import ANSWER
from scoring import prediction_with

TRUTH = [0, 1, 1, 0]


class Counted(LabelledClassification):
    """Notes what it reads and scores."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0
        self.scored: list[Sequence[Prediction]] = []

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Classes:
        self.read += 1
        return super().reference(ground_truth, baseline)

    def scores(self, predictions: Sequence[Prediction], reference: Classes) -> Scores:
        self.scored.append(predictions)
        return super().scores(predictions, reference)


def engine(*classes: int) -> list[Prediction]:
    return [Prediction({"scores": np.eye(2)[index]}) for index in classes]


def test_the_baseline_is_scored_once_whatever_the_order() -> None:
    metric, baseline = Counted(), engine(0, 1, 1, 1)
    scoring = Scoring(metric, TRUTH, baseline)
    first, own, second = scoring.of(engine(0, 1, 1, 0)), scoring.of_baseline(), scoring.of(engine(1, 1, 1, 1))
    assert (metric.read, len(metric.scored)) == (1, 3)
    assert sum(scored is baseline for scored in metric.scored) == 1
    assert [one.drop.value for one in (first, own, second)] == [-0.25, 0.0, 0.25]
    assert own.drop == NO_DROP
    # Equal predictions of another engine are a measurement, whose bound has a width.
    assert scoring.of(engine(0, 1, 1, 1)).drop.high > 0


@pytest.mark.parametrize("answer", ["a text", [{"label": "cat", "score": 0.5}], {"mask": np.eye(3, dtype=np.uint8)}])
def test_what_is_stored_of_a_prediction_is_read_again(answer: Any) -> None:
    made = prediction_with({"scores": np.array([0.5])}, answer)
    arrays = arrays_from_prediction(made)
    assert set(arrays) == {"scores", ANSWER}
    read = prediction_from_arrays(arrays)
    assert set(read.outputs) == {"scores"}
    np.testing.assert_equal(read.answer, answer)


def test_outputs_alone_have_no_answer() -> None:
    outputs = {"scores": np.array([0.5])}
    assert prediction_from_arrays(outputs).answer is None
    assert arrays_from_prediction(Prediction(outputs)) == outputs
