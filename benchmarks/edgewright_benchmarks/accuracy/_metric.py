"""The contract of all metrics: what predictions are measured against, and what those of one engine are worth."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import numpy as np

from edgewright_benchmarks.accuracy._columns import Column, Flags
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction, answers_differ
from edgewright_benchmarks.result import Measure
from edgewright_targets import InputError

# What predictions are measured against, in the form that a metric computes with.
R = TypeVar("R")

# The baseline agrees with itself by definition, which is not a measurement and has no width.
WHOLE: Final = Interval(1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Scores:
    """What the predictions of one engine are worth.

    Attributes:
        name: Of the first metric, which drops are of.
        column: What each sample is worth by it.
        others: Further metrics, which decide nothing.
        interval: Of the first metric; None: the column says it.
    """

    name: str
    column: Column
    others: dict[str, Interval] = field(default_factory=dict)
    interval: Interval | None = None


class Metric(ABC, Generic[R]):
    """A metric of the predictions of an engine.

    Attributes:
        names: All metrics that it may give, in their order, the one that drops are of first; rows of `METRICS`.
        measure: What the drop is a drop of.
        bounded: No engine is better than the baseline, whose figure is 1 by definition: drops are from 0 to 1.
        repeats: An engine can give the very prediction that the baseline gave, so that another one can be counted.
    """

    names: tuple[str, ...]
    measure: Measure = "accuracy"
    bounded: bool = False
    repeats: bool = True

    def suited(self, _ground_truth: Sequence[Any] | None, _baseline: Sequence[Prediction], /) -> Metric[Any]:
        """The metric for this kind of ground truth and model, where a task has several; by default this one."""
        return self

    @abstractmethod
    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> R:
        """What predictions are measured against; made once for all engines.

        Args:
            ground_truth: Of each sample, as `Truth.read` of the task gives it; None where nothing is labelled.
            baseline: The float baseline's predictions: the reference itself, or what tells how to read scores.

        Raises:
            InputError: There is another number of samples, or they do not fit the task.
        """

    @abstractmethod
    def scores(self, predictions: Sequence[Prediction], reference: R) -> Scores:
        """What the predictions of one engine are worth.

        Args:
            predictions: One per sample, with or without a batch dimension of 1. A sample whose outputs are not finite
                counts as wrong.
            reference: See `reference`.

        Raises:
            InputError: They do not fit the task.
        """

    def baseline_scores(self, baseline: Sequence[Prediction], reference: R) -> Scores:
        """What the baseline's own predictions are worth; where that is not a measurement, by definition."""
        return self.scores(baseline, reference)

    def changed(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> Sequence[bool | None]:
        """Whether each sample has another prediction than with the baseline; None if that is unknown."""
        if not self.repeats:
            return [None] * len(predictions)
        return [answers_differ(one, other) for one, other in zip(predictions, baseline, strict=True)]


class Agreement(Metric[R]):
    """A metric against the float baseline's predictions, where nothing is labelled."""

    measure: Measure = "agreement"

    def reference(self, _ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> R:
        """What the baseline's predictions say: the reference of an agreement."""
        return self.baseline_reference(baseline)

    @abstractmethod
    def baseline_reference(self, baseline: Sequence[Prediction]) -> R:
        """What the baseline's predictions say, to measure against.

        Raises:
            InputError: They do not fit the task.
        """

    def baseline_scores(self, baseline: Sequence[Prediction], reference: R) -> Scores:
        """1 by definition where the metric says so, otherwise the scores of the baseline's own predictions."""
        return self.by_definition(len(baseline)) or self.scores(baseline, reference)

    def by_definition(self, _samples: int, /) -> Scores | None:
        """The baseline's own scores of so many samples where its agreement with itself is 1 by definition."""
        return None


def all_agree(samples: int) -> Scores:
    """The agreement of so many samples that all agree, by definition."""
    return Scores("agreement", Flags(np.ones(samples, dtype=bool)), interval=WHOLE)


def check_ground_truth(
    ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], expected: str
) -> Sequence[Any]:
    """The ground truth, of as many samples as the baseline answered.

    Args:
        ground_truth: Of each sample.
        baseline: The float baseline's predictions.
        expected: What the ground truth is of each sample, for the message.

    Raises:
        InputError: The ground truth is missing, or has another number of samples.
    """
    if ground_truth is None or len(ground_truth) != len(baseline):
        raise InputError(f"Expected {expected}, found {len(ground_truth or ())}.")
    return ground_truth
