"""Metrics that are a mean of one score a sample: their intervals, their drops, and how many samples would decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._scorer import NO_DROP
from edgewright_benchmarks.result import Accuracy, Interval
from edgewright_benchmarks.statistics.intervals import mean_drop, samples_needed

Scores = NDArray[np.float64]


def mean_interval(scores: Scores, *, span: float = 1.0, value: float | None = None) -> Interval:
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


def mean_accuracy(
    metrics: dict[str, Interval],
    scores: Scores,
    baseline: Scores | None,
    *,
    max_drop: float | None,
    span: float = 1.0,
) -> Accuracy:
    """Metrics with the paired drop of the scores against the baseline's.

    Args:
        metrics: Name to interval, that of the scores first.
        scores: The engine's, shape (samples,).
        baseline: The baseline's on the same samples; None where the engine is the baseline, whose drop is 0.
        max_drop: The budget, see `Scorer.score`.
        span: The most that one sample can cost.
    """
    if baseline is None:
        return Accuracy(metrics, NO_DROP, len(scores))
    needed = None if max_drop is None else samples_needed(baseline - scores, len(scores), max_drop, span=span)
    return Accuracy(metrics, mean_drop(baseline, scores, span=span), len(scores), needed)


def likeness_accuracy(scores: Scores, others: dict[str, Interval], *, max_drop: float | None) -> Accuracy:
    """How like the baseline's the answers of another engine are, which are wholly like themselves.

    Args:
        scores: 0 (nothing in common) to 1 (the same), shape (samples,).
        others: Further metrics.
        max_drop: The budget, see `Scorer.score`.
    """
    metrics = {"agreement": mean_interval(scores), **others}
    found = mean_accuracy(metrics, scores, np.ones_like(scores), max_drop=max_drop)
    drop = found.drop
    # Nobody agrees more with the baseline than the baseline, nor less than not at all.
    within = Interval(drop.value, max(0.0, drop.low), min(1.0, drop.high), drop.confidence)
    return replace(found, drop=within)
