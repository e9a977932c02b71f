"""All engines of one measurement by one metric: the baseline is scored once, and every engine is compared with it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from edgewright_benchmarks.accuracy._metric import Metric, Scores
from edgewright_benchmarks.engine_result import Accuracy, Interval, SampleScores
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_targets import InputError

# The baseline loses nothing against itself; that is a definition and no measurement, so it has no width.
NO_DROP = Interval(0.0, 0.0, 0.0)


class Scoring:
    """Engines on the same samples, by one metric. What is shared is made where it is first asked for.

    Args:
        metric: Of the task.
        ground_truth: Of each sample; None where nothing is labelled.
        baseline: The float baseline's predictions.
        max_drop: The budget as a share; with it `Accuracy.samples_needed` is filled where it applies, and `surest`.
        confidence: Of each bound of a drop. The intervals of metrics decide nothing, and are those of 95 %.
        keep_scores: Keep what each sample is worth, so that another measurement of the same data can be paired.
    """

    def __init__(
        self,
        metric: Metric[Any],
        ground_truth: Sequence[Any] | None,
        baseline: Sequence[Prediction],
        *,
        max_drop: float | None = None,
        confidence: float = CONFIDENCE,
        keep_scores: bool = False,
    ) -> None:
        self._given = metric
        self._ground_truth = ground_truth
        self._baseline = baseline
        self._max_drop = max_drop
        self._keep_scores = keep_scores
        self.confidence = confidence

    @cached_property
    def _metric(self) -> Metric[Any]:
        return self._given.suited(self._ground_truth, self._baseline)

    @cached_property
    def _reference(self) -> Any:
        return self._metric.reference(self._ground_truth, self._baseline)

    @cached_property
    def _baseline_scores(self) -> Scores:
        return self._metric.baseline_scores(self._baseline, self._reference)

    def of_baseline(self) -> Accuracy:
        """The baseline itself, which loses nothing.

        Raises:
            InputError: There are no samples, or they do not fit the task.
        """
        self._check(self._baseline)
        scores = self._baseline_scores
        return Accuracy(
            self._metrics(scores, scores), NO_DROP, scores.column.samples, surest=1.0, scores=self._kept(scores)
        )

    def of(self, predictions: Sequence[Prediction]) -> Accuracy:
        """An engine, compared with the baseline on the same samples.

        Raises:
            InputError: The predictions are not of the same samples, or do not fit the task.
        """
        self._check(predictions)
        baseline = self._baseline_scores
        return self._compared(self._metric.scores(predictions, self._reference), baseline)

    def changed(self, predictions: Sequence[Prediction]) -> Sequence[bool | None]:
        """Whether each sample has another prediction than with the baseline; None if that is unknown."""
        return self._metric.changed(predictions, self._baseline)

    def _check(self, predictions: Sequence[Prediction]) -> None:
        if not predictions or len(predictions) != len(self._baseline):
            raise InputError(
                f"Both engines must run the same samples: the engine has {len(predictions)}, "
                f"the baseline {len(self._baseline)}."
            )

    def _compared(self, scores: Scores, baseline: Scores) -> Accuracy:
        column, theirs = scores.column, baseline.column
        drop = column.drop(theirs, self.confidence)
        if self._metric.bounded:
            drop = Interval(drop.value, max(0.0, drop.low), min(1.0, drop.high), drop.confidence)
        metrics = self._metrics(scores, baseline)
        if self._max_drop is None:
            return Accuracy(metrics, drop, column.samples, scores=self._kept(scores))
        needed = column.needed(theirs, self._max_drop, self.confidence)
        surest = column.surest(theirs, self._max_drop)
        return Accuracy(metrics, drop, column.samples, needed, surest, scores=self._kept(scores))

    def _kept(self, scores: Scores) -> SampleScores | None:
        return scores.column.scores() if self._keep_scores else None

    def _metrics(self, scores: Scores, baseline: Scores) -> dict[str, Interval]:
        first = scores.interval or scores.column.interval(baseline.column)
        found = {scores.name: first, **scores.others}
        assert set(found) <= set(self._metric.names), f"{type(self._metric).__name__}.names leaves out one of {found}"
        return found
