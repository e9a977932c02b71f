"""The threshold of a cascade: from which score on a small model is trusted, within a budget against always asking.

Thresholds are tested in a fixed sequence, from the one that asks the larger model most often to the one that asks it
least; the first that is not shown to keep the budget ends it, and the last that did is the one that is found. So each
is tested at the full confidence, and with that confidence the one that is found loses no more than the budget. The
sequence follows from the scores alone, and never from what is right. It is that of `several_engines`, where its
sources stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy import Scoring
from edgewright_benchmarks.applications.threshold_result import FoundThreshold, TriedThreshold
from edgewright_benchmarks.applications.value_metrics import VALUE_METRICS, told
from edgewright_benchmarks.metrics import metric_words
from edgewright_benchmarks.statistics.bounds import points_at_most
from edgewright_benchmarks.statistics.intervals import least_bound, least_samples
from edgewright_runtime.applications.conditions import Condition

# Steps of the sequence: finer ones would end earlier by bad luck, coarser ones would ask more often than is needed.
_STEPS: Final = 20


@dataclass(frozen=True)
class BothWays:
    """One sample with the step and without it.

    Attributes:
        score: What the condition compares; None where it is missing, and the step never runs.
        asked: The judged value where the step runs; None where it is missing.
        trusted: The same where it does not.
        asked_seconds: Of the call where the step runs.
        trusted_seconds: Of the call where it does not.
    """

    score: float | None
    asked: object
    trusted: object
    asked_seconds: float
    trusted_seconds: float


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """A step whose threshold is to be found, and what judges it.

    Attributes:
        step: Its name.
        declared: Its condition in words.
        condition: The condition, without its constant.
        value: The value that is judged.
        metric: Its metric.
        max_drop: The budget as a share.
        confidence: Of the bound of the drop.
    """

    step: str
    declared: str
    condition: Condition
    value: str
    metric: str
    max_drop: float
    confidence: float


def find_threshold(cascade: Cascade, samples: Sequence[BothWays], truth: Sequence[object]) -> FoundThreshold:
    """The threshold that asks least often among those that are shown to keep the budget.

    Args:
        cascade: The step, its budget and what judges it.
        samples: Each sample with the step and without it.
        truth: Ground truth of the judged value, of each sample.
    """
    scoring = Scoring(
        VALUE_METRICS[cascade.metric].metric,
        truth,
        told(cascade.metric, [one.asked for one in samples]),
        max_drop=cascade.max_drop,
        confidence=cascade.confidence,
    )
    always = np.array([one.score is not None for one in samples], dtype=bool)
    tried: list[TriedThreshold] = []
    for constant in _sequence(cascade.condition, samples):
        asked = _asked(cascade.condition, constant, samples)
        values = [one.asked if ask else one.trusted for one, ask in zip(samples, asked, strict=True)]
        drop = scoring.of(told(cascade.metric, values)).drop
        mean, p95 = _seconds(samples, asked)
        kept = drop.high <= cascade.max_drop
        tried.append(
            TriedThreshold(
                constant=constant,
                asked=int(asked.sum()),
                drop=drop,
                mean_seconds=mean,
                p95_seconds=p95,
                kept=kept,
            )
        )
        if not kept:
            break
    best = next((one for one in reversed(tried) if one.kept), None)
    mean, p95 = _seconds(samples, always)
    found = FoundThreshold(
        step=cascade.step,
        declared=cascade.declared,
        when="" if best is None else f"{cascade.condition.value} {cascade.condition.comparison} {best.constant!r}",
        value=cascade.value,
        metric=cascade.metric,
        samples=len(samples),
        max_drop=cascade.max_drop,
        asked=int(always.sum()) if best is None else best.asked,
        mean_seconds=mean if best is None else best.mean_seconds,
        p95_seconds=p95 if best is None else best.p95_seconds,
        always_mean_seconds=mean,
        always_p95_seconds=p95,
        tried=tuple(tried),
        reason="",
    )
    return replace(found, reason=_reason(found, best, cascade.confidence))


def _sequence(condition: Condition, samples: Sequence[BothWays]) -> list[float]:
    """Observed scores as thresholds, from the one that asks most often but not always to the one that asks least."""
    scores = sorted({one.score for one in samples if one.score is not None})
    if condition.comparison in ("<", "<="):
        scores.reverse()
    counts = {score: int(_asked(condition, score, samples).sum()) for score in scores}
    most = sum(one.score is not None for one in samples)
    # The one of each step that asks least often: every other of it asks more for the same step of the sequence.
    steps: dict[int, float] = {}
    for score in scores:
        if counts[score] < most:
            steps[int(np.ceil((most - counts[score]) * _STEPS / most))] = score
    return [steps[step] for step in sorted(steps)]


def _asked(condition: Condition, constant: float, samples: Sequence[BothWays]) -> NDArray[np.bool_]:
    there = replace(condition, constant=constant, found=False)
    return np.array([there.holds(one.score) for one in samples], dtype=bool)


def _seconds(samples: Sequence[BothWays], asked: NDArray[np.bool_]) -> tuple[float, float]:
    took = [one.asked_seconds if ask else one.trusted_seconds for one, ask in zip(samples, asked, strict=True)]
    return float(np.mean(took)), float(np.percentile(took, 95))


def _reason(found: FoundThreshold, best: TriedThreshold | None, confidence: float) -> str:
    budget = f"{100 * found.max_drop:g} percentage points of {metric_words(found.metric)} of '{found.value}'"
    sure = f"{100 * confidence:g} %"
    if best is not None:
        return (
            f"'{found.step}' runs where '{found.when}': for {found.asked:,} of {found.samples:,} samples. Against "
            f"always running it, at most {points_at_most(best.drop.high, found.max_drop)} percentage points of "
            f"{metric_words(found.metric)} are lost ({sure} bound); {100 * found.max_drop:g} are allowed. A call takes "
            f"{1e3 * found.mean_seconds:.3g} ms in the mean and {1e3 * found.p95_seconds:.3g} ms at p95, in the place "
            f"of {1e3 * found.always_mean_seconds:.3g} and {1e3 * found.always_p95_seconds:.3g} ms."
        )
    kept = f"No threshold is shown to keep the budget of {budget} ({sure} bound), so '{found.step}' always runs."
    if least_bound(found.samples, confidence=confidence) > found.max_drop:
        fewest = least_samples(found.max_drop, confidence=confidence)
        return f"{kept} {found.samples:,} samples are too few to show it; it takes at least {fewest:,}."
    return kept
