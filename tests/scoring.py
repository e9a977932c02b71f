"""Scoring as tests write it: arrays alone, or outputs by name, with an answer beside them as workers send it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy import Metric, Scoring
from edgewright_benchmarks.engine_result import Accuracy
from edgewright_benchmarks.predictions import Prediction, prediction_from_arrays
from edgewright_runtime.samples import pack_answer

# One array, or arrays by name.
Output = np.ndarray[Any, Any] | Mapping[str, np.ndarray[Any, Any]]


def prediction(output: Output) -> Prediction:
    """The prediction that these outputs are."""
    return prediction_from_arrays(dict(output) if isinstance(output, Mapping) else {"scores": output})


def prediction_with(outputs: dict[str, np.ndarray[Any, Any]], answer: Any) -> Prediction:
    """A prediction whose answer is more than its outputs."""
    return Prediction(outputs, pack_answer(answer))


def predictions(outputs: Sequence[Output]) -> list[Prediction]:
    """One for each sample."""
    return [prediction(output) for output in outputs]


def score(
    metric: Metric[Any],
    outputs: Sequence[Output],
    truth: Sequence[Any] | None,
    baseline: Sequence[Output],
    *,
    max_drop: float | None = None,
) -> Accuracy:
    """What an engine's outputs are worth; the same object twice is the baseline itself."""
    scoring = Scoring(metric, truth, predictions(baseline), max_drop=max_drop)
    return scoring.of_baseline() if outputs is baseline else scoring.of(predictions(outputs))
