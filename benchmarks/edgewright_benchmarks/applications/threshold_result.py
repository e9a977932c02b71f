"""What a build says of the threshold that it found for a cascade."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.interval import Interval


@dataclass(frozen=True, kw_only=True)
class TriedThreshold:
    """A threshold of the sequence.

    Attributes:
        constant: What the score is compared with.
        asked: Samples for which the step runs.
        drop: Of the metric against always asking; `high` is the bound that is compared with the budget.
        mean_seconds: Of a call, as the samples took it with the step and without.
        p95_seconds: The same, 95th percentile.
        kept: The bound is within the budget.
    """

    constant: float
    asked: int
    drop: Interval
    mean_seconds: float
    p95_seconds: float
    kept: bool


@dataclass(frozen=True, kw_only=True)
class FoundThreshold:
    """The threshold of a step, with its evidence.

    Attributes:
        step: The step that runs only where a score is not good enough.
        declared: Its condition as it was declared.
        when: Its condition with what was found; empty where no threshold keeps the budget, and the step always runs.
        value: The value whose metric the budget is of.
        metric: That metric, as in the file of an application.
        samples: Samples that it was found on.
        max_drop: The budget as a share.
        asked: Samples for which the step runs.
        mean_seconds: Of a call with it; likewise the 95th percentile.
        always_mean_seconds: Of a call that always runs the step; likewise the 95th percentile.
        tried: All that were tried, in their order; the last one ended the sequence, unless it was kept.
        reason: Why, as a sentence.
    """

    step: str
    declared: str
    when: str
    value: str
    metric: str
    samples: int
    max_drop: float
    asked: int
    mean_seconds: float
    p95_seconds: float
    always_mean_seconds: float
    always_p95_seconds: float
    tried: tuple[TriedThreshold, ...]
    reason: str
