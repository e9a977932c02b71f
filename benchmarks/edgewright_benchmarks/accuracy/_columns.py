"""What each sample is worth to an engine by one metric, and how two such columns are compared.

There are four kinds: flags of right and wrong, scores whose mean is the metric, ratios of sums (which are means to
first order), and statistics of all samples together, by resampling. Each has the bound that is its own.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.engine_result import Interval, SampleScores
from edgewright_benchmarks.statistics.intervals import (
    confidence_of_drop,
    largest_confidence,
    least_bound,
    mean_drop,
    paired_accuracy_drop,
    samples_needed,
    samples_within,
    wilson,
)
from edgewright_benchmarks.statistics.resampling import Statistic, resampled_rows

Floats = NDArray[np.float64]

# For the interval of a statistic, and that of a drop.
_RESAMPLES = 400


class Column(ABC):
    """What each sample is worth by one metric; two of one kind are compared sample by sample."""

    @property
    @abstractmethod
    def samples(self) -> int:
        """The number of samples."""

    @abstractmethod
    def interval(self, baseline: Self, /) -> Interval:
        """The metric with its two-sided interval of 95 %."""

    @abstractmethod
    def drop(self, baseline: Self, confidence: float = 0.95) -> Interval:
        """How much less than the baseline's it is, with one-sided bounds; positive is worse."""

    @abstractmethod
    def needed(self, baseline: Self, max_drop: float, confidence: float = 0.95) -> int | None:
        """About how many such samples would bring the bound of the drop down to the budget; see `samples_needed`."""

    def surest(self, baseline: Self, max_drop: float) -> float:
        """The largest confidence at which the bound of the drop is within the budget; see `largest_confidence`."""
        return largest_confidence(lambda confidence: self.drop(baseline, confidence).high, max_drop)

    def scores(self) -> SampleScores | None:
        """The form that a result keeps; None where samples have no scores of their own."""
        return None


@dataclass(frozen=True, eq=False)
class Flags(Column):
    """Whether each sample is right; shape (samples,). The metric is the share, with bounds of Wilson and Tango."""

    right: NDArray[np.bool_]

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.right)

    def interval(self, _baseline: Self, /) -> Interval:
        """The figure with its confidence interval."""
        return wilson(int(self.right.sum()), self.samples)

    def drop(self, baseline: Self, confidence: float = 0.95) -> Interval:
        """The drop against the baseline, with its one-sided bound."""
        return paired_accuracy_drop(baseline.right, self.right, confidence=confidence)

    def needed(self, baseline: Self, max_drop: float, confidence: float = 0.95) -> int | None:
        """About how many samples would decide; None if more samples do not help."""
        return samples_needed(self._counts(baseline), self.samples, max_drop, confidence=confidence)

    def surest(self, baseline: Self, max_drop: float) -> float:
        """The largest confidence at which the bound is within the budget."""
        return confidence_of_drop(*self._counts(baseline), self.samples, max_drop)

    def scores(self) -> SampleScores:
        """The form that a result keeps."""
        return SampleScores(kind="flags", values=tuple(map(float, self.right)))

    def _counts(self, baseline: Self) -> tuple[int, int]:
        """Samples that were lost, and that were gained."""
        return int((baseline.right & ~self.right).sum()), int((~baseline.right & self.right).sum())


@dataclass(frozen=True, eq=False)
class Means(Column):
    """Scores whose mean is the metric.

    Attributes:
        values: A score for each sample, greater is better; shape (samples,).
        span: The most that one sample can cost, see `mean_drop`; of two columns the baseline's counts.
        value: The metric, where it is the mean by more than rounding.
        scale: What differences of values are divided by: whole counts stay exact so.
    """

    values: Floats
    span: float = 1.0
    value: float | None = None
    scale: float = 1.0

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.values)

    def interval(self, baseline: Self, /) -> Interval:
        """The figure with its confidence interval."""
        return mean_interval(self.values, span=baseline.span, value=self.value)

    def drop(self, baseline: Self, confidence: float = 0.95) -> Interval:
        """The drop against the baseline, with its one-sided bound."""
        losses = self._losses(baseline)
        return mean_drop(losses, np.zeros_like(losses), confidence=confidence, span=baseline.span)

    def needed(self, baseline: Self, max_drop: float, confidence: float = 0.95) -> int | None:
        """About how many samples would decide; None if more samples do not help."""
        losses = self._losses(baseline)
        return samples_needed(losses, self.samples, max_drop, confidence=confidence, span=baseline.span)

    def scores(self) -> SampleScores | None:
        """The form that a result keeps; JSON has no numbers that are not finite."""
        if not np.isfinite(self.values).all():
            return None
        return SampleScores(kind="means", values=tuple(map(float, self.values)), span=self.span, scale=self.scale)

    def _losses(self, baseline: Self) -> Floats:
        losses: Floats = (baseline.values - self.values) / self.scale
        return losses


def mean_interval(scores: Floats, *, span: float = 1.0, value: float | None = None) -> Interval:
    """The mean of scores with its t interval, two-sided 95 %, within 0 and 1.

    Args:
        scores: Shape (samples,).
        span: The most that one sample can cost, see `mean_drop`.
        value: The metric, where it is the mean by more than rounding; by default the mean, which is put within 0 and 1.
    """
    # Two one-sided bounds of 97.5 % are a two-sided interval of 95 %, as all metrics have.
    spread = mean_drop(np.ones_like(scores), scores, confidence=0.975, span=span)
    if value is None:
        value = float(np.clip(scores.mean(), 0, 1))
    return Interval(value, max(0.0, min(value, 1 - spread.high)), min(1.0, max(value, 1 - spread.low)))


def column_from_scores(scores: SampleScores) -> Flags | Means:
    """The column of scores that a result kept.

    >>> from edgewright_benchmarks.accuracy._columns import column_from_scores
    >>> from edgewright_benchmarks.engine_result import SampleScores
    >>> before, after = (SampleScores(kind="flags", values=right) for right in ((1, 1, 1, 0), (1, 1, 0, 0)))
    >>> column_from_scores(after).drop(column_from_scores(before)).value
    0.25
    """
    values = np.asarray(scores.values, dtype=np.float64)
    if scores.kind == "flags":
        return Flags(values > 0)
    return Means(values, span=scores.span, scale=scores.scale)


class Ratio(Protocol):
    """A metric of a whole corpus that is a mean over samples to first order; see `_corpus.Sums`."""

    @property
    def ratio(self) -> float:
        """The metric."""

    @property
    def span(self) -> float:
        """The most that one sample can cost."""

    def scores(self) -> Floats:
        """A score for each sample, whose mean is the metric."""


def column_from_ratio(sums: Ratio) -> Means:
    """The column of a ratio of sums."""
    return Means(sums.scores(), span=sums.span, value=sums.ratio)


@dataclass(frozen=True, eq=False)
class Resampled(Column):
    """A statistic of all samples together that no formula bounds, such as a rank correlation.

    The upper bound of the drop is the one-sided 95 % percentile of the bootstrap, and never nearer than what samples
    unlike all that were seen could add, see `mean_drop`: engines that differ nowhere have no spread.

    Attributes:
        statistic: The metric of resamples, from indices of samples.
        count: How many samples there are.
        span: The most that one sample can lose, in units of the metric over the number of samples.
    """

    statistic: Statistic
    count: int
    span: float

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.count

    @cached_property
    def value(self) -> float:
        """The metric."""
        return float(self.statistic(np.arange(self.count)[None])[0])

    @cached_property
    def _draws(self) -> Floats:
        # The same samples for every column, so that two can be subtracted.
        return np.concatenate([self.statistic(rows) for rows in resampled_rows(self.count, _RESAMPLES)])

    def interval(self, _baseline: Self, /) -> Interval:
        """The figure with its confidence interval."""
        # Where all are right, resampling would claim certainty.
        low, high = np.quantile(self._draws, [0.025, 0.975])
        unseen = self.span * least_bound(self.count, confidence=0.975)
        return Interval(self.value, min(float(low), self.value - unseen), max(self.value, float(high)))

    def drop(self, baseline: Self, confidence: float = 0.95) -> Interval:
        """The drop against the baseline, with its one-sided bound."""
        drop = baseline.value - self.value
        low, high = self._spread(baseline, confidence)
        return Interval(
            drop,
            drop - self._width(-low, -drop, self.count, confidence),
            drop + self._width(high, drop, self.count, confidence),
            confidence=confidence,
        )

    def needed(self, baseline: Self, max_drop: float, confidence: float = 0.95) -> int | None:
        """About how many samples would decide; None if more samples do not help."""
        drop = baseline.value - self.value
        _, high = self._spread(baseline, confidence)

        def bound(count: int) -> float:
            return drop + self._width(high, drop, count, confidence)

        return samples_within(bound, drop, self.count, max_drop)

    def surest(self, baseline: Self, max_drop: float) -> float:
        """The largest confidence at which the bound is within the budget; never more than the resamples can tell."""
        return min(super().surest(baseline, max_drop), 1 - 1 / (_RESAMPLES + 1))

    def _spread(self, baseline: Self, confidence: float) -> tuple[float, float]:
        losses = baseline._draws - self._draws
        low, high = np.quantile(losses, [1 - confidence, confidence]) - (baseline.value - self.value)
        return float(low), float(high)

    def _width(self, width: float, towards: float, count: int, confidence: float) -> float:
        unseen = least_bound(count, confidence=confidence) * (self.span - towards)
        return max(width * math.sqrt(self.count / count), unseen, 0.0)
