"""Intervals for everything that is claimed: latency ratios, accuracy drops, metrics; and what makes them unsure.

    >>> from edgewright_benchmarks.statistics.intervals import latency_ratio
    >>> ratio = latency_ratio([[0.5, 0.5], [0.6, 0.6]], [[1.0, 1.0], [1.2, 1.2]])
    >>> ratio.value
    0.5

Nothing is decided here: whether a bound is good enough is the business of `edgewright_benchmarks.judging.choice`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.statistics.paired import (
    confidence_of_drop,
    largest_confidence,
    least_bound,
    least_samples,
    mean_drop,
    paired_accuracy_drop,
    samples_needed,
    samples_within,
    wilson,
)
from edgewright_benchmarks.statistics.resampling import around, percentiles, resampled_rows
from edgewright_benchmarks.statistics.stability import stability_warnings, starved_baseline
from edgewright_targets import InputError

__all__ = [
    "confidence_of_drop",
    "largest_confidence",
    "latency_ratio",
    "least_bound",
    "least_samples",
    "mean_drop",
    "metric_interval",
    "paired_accuracy_drop",
    "rate_interval",
    "samples_needed",
    "samples_within",
    "stability_warnings",
    "starved_baseline",
    "wilson",
]

Rounds = Sequence[Sequence[float]]
Metric = Callable[[NDArray[np.int64], NDArray[np.int64]], float]
# (resamples, cells) counts, truth of each cell, prediction of each cell -> one value a resample.
CountsMetric = Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]


def latency_ratio(
    candidate_rounds: Rounds, baseline_rounds: Rounds, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """The candidate's latency over the baseline's; below 1 is faster.

    The median over rounds of the ratio of the two medians of a round. Both were measured next to each other in each
    round, so what slows the whole machine down for a while cancels. The interval is the two-sided percentile
    bootstrap over rounds: calls within a round resemble one another and are not independent evidence. With fewer
    than six rounds it is the range of the rounds, which is all that they can say, and less than 95 % sure.

    Args:
        candidate_rounds: Seconds of each call, one sequence a round.
        baseline_rounds: The same of the baseline, the same rounds in the same order.
        confidence: Of the two-sided interval.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Raises:
        InputError: Different numbers of rounds, fewer than two, an empty round, or times that are not positive.
    """
    if len(candidate_rounds) != len(baseline_rounds) or len(candidate_rounds) < 2:
        raise InputError(
            "A latency ratio needs the same number of rounds of both engines, at least two; there are "
            f"{len(candidate_rounds)} of the candidate and {len(baseline_rounds)} of the baseline.",
            hint="Pass --rounds 10 or more.",
        )
    ratios = _round_medians(candidate_rounds) / _round_medians(baseline_rounds)
    drawn = [np.median(ratios[rows], axis=1) for rows in resampled_rows(ratios.size, resamples, seed=seed)]
    return Interval(float(np.median(ratios)), *percentiles(np.concatenate(drawn), confidence), confidence)


def _round_medians(rounds: Rounds) -> NDArray[np.float64]:
    medians = np.array([np.median(values) if len(values) else np.nan for values in rounds], dtype=np.float64)
    if not (np.isfinite(medians) & (medians > 0)).all():
        raise InputError("Every round must hold times above zero.")
    return medians


def metric_interval(
    function: Metric,
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    of_counts: CountsMetric | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """A metric of labels with its two-sided percentile bootstrap interval over samples.

    Args:
        function: The metric, called as (truth, prediction); the value is always computed by it.
        truth: Class of each sample, as integers; shape (samples,).
        prediction: Class that was answered, in the same order.
        of_counts: The same metric for all resamples at once. A resample is drawn as counts of the distinct
            (truth, prediction) pairs, so this takes the counts, shape (resamples, pairs), and the pairs' truth and
            prediction, sorted by truth. Without it `function` is called for every resample.
        confidence: Of the two-sided interval.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Raises:
        InputError: No samples, or different numbers of them.
    """
    pairs = np.stack([np.asarray(truth, dtype=np.int64), np.asarray(prediction, dtype=np.int64)], axis=1)
    if pairs.ndim != 2 or len(pairs) == 0:
        raise InputError(f"Expected one class per sample, found shape {pairs.shape}.")
    value = float(function(pairs[:, 0], pairs[:, 1]))
    if of_counts is None:
        draws = (pairs[row] for rows in resampled_rows(len(pairs), resamples, seed=seed) for row in rows)
        values = np.array([function(draw[:, 0], draw[:, 1]) for draw in draws])
    else:
        cells, seen = np.unique(pairs, axis=0, return_counts=True)
        counts = np.random.default_rng(seed).multinomial(len(pairs), seen / len(pairs), size=resamples)
        values = of_counts(counts, cells[:, 0], cells[:, 1])
    return around(value, values, confidence=confidence)


def rate_interval(
    errors: ArrayLike, counts: ArrayLike, *, confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Interval:
    """Errors of all samples over what there was to get right in them, such as a word error rate.

    The interval is the two-sided percentile bootstrap over samples: the words of one recording stand and fall together.
    Where nothing is wrong a bootstrap would claim certainty; Wilson's bound of the share of samples then stands in.

    Args:
        errors: Of each sample; shape (samples,).
        counts: What there was to get right in each sample, such as its words; not all zero.
        confidence: Of the two-sided interval.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Raises:
        InputError: No samples, different numbers of them, or nothing to get right.
    """
    wrong, right = np.asarray(errors, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if wrong.ndim != 1 or wrong.shape != right.shape or not right.sum() > 0:
        raise InputError(f"Expected errors and counts of each sample, found shapes {wrong.shape} and {right.shape}.")
    value = float(wrong.sum() / right.sum())
    if not wrong.any():
        return Interval(value, 0.0, wilson(0, wrong.size, confidence=confidence).high, confidence)

    def rates(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        totals = right[rows].sum(axis=1)
        found: NDArray[np.float64] = wrong[rows].sum(axis=1)[totals > 0] / totals[totals > 0]
        return found

    drawn = [rates(rows) for rows in resampled_rows(wrong.size, resamples, seed=seed)]
    return around(value, np.concatenate(drawn), confidence=confidence)
