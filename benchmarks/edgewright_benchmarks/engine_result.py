"""What a measurement found about one engine: the part of a `Result` that is there once for each of them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from edgewright_benchmarks.costs import ColdStart, Energy, TextSpeed, UnknownFigure
from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.scenario_result import ScenarioResult
from edgewright_targets import Rung
from edgewright_targets.recipe import FloatGroup
from edgewright_targets.record import ADDED_LATER

__all__ = [
    "Accuracy",
    "ChangedPredictions",
    "EngineResult",
    "FloatNodes",
    "Interval",
    "Latency",
    "NativeAnswers",
    "SampleScores",
    "Status",
]

# accepted: within the budget and not slower; refused: measured, and lost; failed: could not be made or run;
# unfinished: made and never run, so `edgewright finish` decides on the device; unjudged: nothing was decided yet, which
# no `Result` has.
Status = Literal["baseline", "accepted", "refused", "failed", "unfinished", "unjudged"]


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Seconds of one call, batch 1, from what a person has to what a person wants.

    Attributes:
        rounds: The raw seconds, one list a round; in a round every engine ran the same samples.
        median: Median over all rounds; likewise the percentiles below.
        throughput: Calls a second of one stream: samples divided by the time they took.
        ratio: Median latency over the baseline's, round by round, with a bootstrap interval. Below 1 is faster.
            The baseline's own is exactly 1.
        busy: Processor time over the time that passed, the median of all rounds; None where it was not read.
        baseline_busy: The same of the baseline, in the same rounds.
        beside: Busy programs that ran beside it on purpose.
        intervals: Of the percentiles and the throughput, by name: what other rounds of this run would have given. Empty
            in results of before.
    """

    rounds: tuple[tuple[float, ...], ...]
    median: float
    p50: float
    p90: float
    p95: float
    p99: float
    throughput: float
    ratio: Interval
    busy: float | None = None
    baseline_busy: float | None = None
    beside: int = 0
    intervals: dict[str, Interval] = field(default_factory=dict)

    @property
    def values(self) -> tuple[float, ...]:
        """All raw seconds in the order they were taken."""
        return tuple(value for values in self.rounds for value in values)


@dataclass(frozen=True, kw_only=True)
class SampleScores:
    """What each sample is worth by the first metric, in the order of the data: two results of one data set pair them.

    Attributes:
        kind: `flags` are 1 where the sample is right and 0 where it is wrong; the mean of `means` is the metric.
        values: One a sample, greater is better.
        span: The most that one sample can lose, in units of the metric times the number of samples.
        scale: What differences of values are divided by.
    """

    kind: Literal["flags", "means"]
    values: tuple[float, ...]
    span: float = 1.0
    scale: float = 1.0


@dataclass(frozen=True)
class Accuracy:
    """How good the answers are, and how much was lost against the float baseline on the same samples.

    Attributes:
        metrics: Metric name to value with interval: `accuracy`, `macro_f1`; `agreement` where nothing is labelled.
        drop: Loss of the first metric against the baseline, paired by sample; positive is worse. `high` is the
            one-sided upper bound that is compared with the budget.
        samples: How many samples were answered.
        samples_needed: Where the bound is above the budget only for want of samples: about how many would decide.
        surest: The largest confidence (0..1) at which the bound of the drop is within the budget; 0 where it is not at
            0.5 either, None where that was not computed.
    """

    metrics: dict[str, Interval]
    drop: Interval
    samples: int
    samples_needed: int | None = None
    surest: float | None = None
    # Of a bench; evidence in packages is about the choice alone. None also where all samples together are one figure.
    _: KW_ONLY
    scores: SampleScores | None = None


@dataclass(frozen=True, kw_only=True)
class NativeAnswers:
    """Answers of an emulated engine beside those of the same graph on the machine around the emulator.

    Attributes:
        architecture: Of that machine, as `uname -m` prints it.
        samples: How many both answered.
        differing: Samples of which any value differs.
        changed: Samples of which the first class of any output is another one, or an output is NaN on one side.
        largest: The largest of the differences.
        differences: Of each sample, the largest absolute difference of any value of any output, to three digits; None
            where it is not a number.
    """

    architecture: str
    samples: int
    differing: int
    changed: int
    largest: float
    differences: tuple[float | None, ...]


@dataclass(frozen=True)
class ChangedPredictions:
    """Samples for which an engine has other predictions than the float baseline.

    Attributes:
        count: How many.
        first: Numbers of the first of them, counted from 1 among the samples that were measured, in their order.
    """

    count: int
    first: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class FloatNodes:
    """Nodes of an engine of a lower precision that stay in float because of what they are.

    Attributes:
        group: What they are, in one word.
        operators: Operator type to how many of them there are, the most first.
        reasons: Why, each as the second half of a sentence.
        names: The first of them, with the component in front where a model has several; long names are cut.
    """

    group: FloatGroup
    operators: dict[str, int]
    reasons: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many nodes they are."""
        return sum(self.operators.values())


@dataclass(frozen=True, kw_only=True)
class EngineResult:
    """Everything found about one engine.

    Attributes:
        name: Variant name in the package, `<target>-<candidate>`.
        target: Target name.
        provider: Execution provider that was asked for.
        precision: Word for people.
        rung: How the figures below were obtained.
        status: What became of it.
        reasons: Why it was refused or failed, or what to know; whole sentences.
        latency: Seconds of a call; None unless measured. Beside busy programs, where that was asked for.
        alone: Seconds of a call without busy programs, where `latency` is beside some; None otherwise.
        accuracy: None where it could not run.
        load_seconds: From opening the package to the first answer, in fresh processes.
        peak_memory_bytes: Peak resident memory of a process that loads it and answers all samples.
        size_bytes: Files that this engine needs on disk, shared weights included.
        nodes: Provider to the number of graph nodes it runs.
        native: Where it was emulated: how its outputs differ from this machine's; None where that cannot run it.
        low_precision: Operator type to the number of nodes of its graphs that compute in the precision of its name;
            empty for float, and in evidence that did not count them.
        otherwise: Samples with other predictions than the baseline; None for the baseline itself, and where predictions
            cannot be compared, such as vectors.
        threads: Threads that a call may use; None where it did not run, and in evidence that does not say.
        guide: Difference of the outputs from the baseline's on calibration samples, which decide nothing else: 0 is
            none, 1 as large as the outputs. It orders the engines that are tested. None where it was not read.
        retimed: Its latency over the baseline's where it was timed anew, as the winner of a search is before it ships.
        same_as: Name of the engine whose predictions it has, as they differ in speed alone; empty for others.
        cold_start: Fresh processes up to their first answer; None where a bench was not asked for them.
        float_nodes: What stays in float because of what it is, a group each; empty for float engines and where there is
            no such node.
        scenarios: How it keeps up with a load, where a bench was asked for that.
        text_speed: How fast texts come, for each length of a prompt; empty for models that generate none.
        energy: What each sensor of energy says of a call; empty where a bench was not asked for it, or nothing tells.
        unknown: Figures that were asked for and could not be read.
    """

    name: str
    target: str
    provider: str
    precision: str
    rung: Rung
    status: Status
    reasons: tuple[str, ...] = ()
    latency: Latency | None = None
    accuracy: Accuracy | None = None
    load_seconds: tuple[float, ...] = ()
    peak_memory_bytes: int | None = None
    size_bytes: int | None = None
    nodes: dict[str, int] = field(default_factory=dict)
    native: NativeAnswers | None = None
    low_precision: dict[str, int] = field(default_factory=dict)
    otherwise: ChangedPredictions | None = None
    threads: int | None = None
    guide: float | None = None
    same_as: str = ""
    retimed: Interval | None = None
    alone: Latency | None = None
    cold_start: ColdStart | None = None
    float_nodes: tuple[FloatNodes, ...] = field(default=(), metadata=ADDED_LATER)
    scenarios: tuple[ScenarioResult, ...] = field(default=(), metadata=ADDED_LATER)
    text_speed: tuple[TextSpeed, ...] = field(default=(), metadata=ADDED_LATER)
    energy: tuple[Energy, ...] = field(default=(), metadata=ADDED_LATER)
    unknown: tuple[UnknownFigure, ...] = field(default=(), metadata=ADDED_LATER)

    def low_precision_words(self) -> str:
        """What of its graphs is in its low precision, such as `int8: 12 MatMul, 1 Gather`; empty where nothing is."""
        counts = ", ".join(f"{count:,} {name}" for name, count in self.low_precision.items())
        return f"{self.precision}: {counts}" if counts else ""
