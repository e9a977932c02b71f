"""What a measurement found: raw values and what was computed from them, written as JSON and read back strictly.

A `Result` is the evidence of a build (all candidates, on the evaluation data) or of a bench (the engines in a
package, on data the choice never saw). The report, the package and the command line all read this one form.

    >>> from edgewright_benchmarks.result import read_result
    >>> result = read_result("bench.json")                                      # doctest: +SKIP
    >>> result.engine(result.chosen).latency.p50                                # doctest: +SKIP
    0.00087
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgewright_targets import HostFacts, InputError, Rung
from edgewright_targets.record import RecordError, read_record, write_record

# Name and number of the schema, written into each result. Its history:
#
#   1  The first. Fields that were added since have a default: a result without them is read.
#
# The number is raised when older results can no longer be read: a field that is required is new, or means something
# else. Evidence lies in packages, so a reader of a new number keeps reading the ones before.
SCHEMA = "edgewright.result/1"
# Sixteen targets with all their engines have less than one MiB.
_LIMIT_BYTES = 32 * 2**20
# Characters that a message shows of names.
_SHOWN = 200

# accepted: within the budget and not slower; refused: measured, and lost; failed: could not be made or run;
# unfinished: made and never run, so `edgewright finish` decides on the device; unjudged: nothing was decided yet, which
# no `Result` has.
Status = Literal["baseline", "accepted", "refused", "failed", "unfinished", "unjudged"]
Measure = Literal["accuracy", "agreement"]


@dataclass(frozen=True)
class Interval:
    """A value with the interval that holds it with the stated confidence (0..1)."""

    value: float
    low: float
    high: float
    confidence: float = 0.95


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

    @property
    def values(self) -> tuple[float, ...]:
        """All raw seconds in the order they were taken."""
        return tuple(value for values in self.rounds for value in values)


@dataclass(frozen=True)
class Accuracy:
    """How good the answers are, and how much was lost against the float baseline on the same samples.

    Attributes:
        metrics: Metric name to value with interval: `accuracy`, `macro_f1`; `agreement` where nothing is labelled.
        drop: Loss of the first metric against the baseline, paired by sample; positive is worse. `high` is the
            one-sided upper bound that is compared with the budget.
        samples: How many samples were answered.
        samples_needed: Where the bound is above the budget only for want of samples: about how many would decide.
    """

    metrics: dict[str, Interval]
    drop: Interval
    samples: int
    samples_needed: int | None = None


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
        latency: Seconds of a call; None unless measured.
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

    def low_precision_words(self) -> str:
        """What of its graphs is in its low precision, such as `int8: 12 MatMul, 1 Gather`; empty where nothing is."""
        counts = ", ".join(f"{count:,} {name}" for name, count in self.low_precision.items())
        return f"{self.precision}: {counts}" if counts else ""


@dataclass(frozen=True, kw_only=True)
class OptimizerFacts:
    """What ONNX Runtime's optimizations change of a graph that came as a file.

    Attributes:
        difference: Largest difference of any output as a share of its size; None where shapes or odd values differ.
        allowed: What rounding explains in numbers of its type.
        samples: How many were compared.
        nodes: The first nodes of the optimized graph that answer otherwise, in words; where it is more than allowed.
        kept: The optimizations stay on.
        drop: Loss of the first metric that they cause, as a share; None where it was not measured.
        judged_on: Labelled samples that it was measured on.
        refused: Why the optimized graph does not run at all; empty where it does.
    """

    difference: float | None
    allowed: float
    samples: int
    nodes: tuple[str, ...] = ()
    kept: bool = True
    drop: float | None = None
    judged_on: int = 0
    refused: str = ""

    @property
    def exceeds(self) -> bool:
        """Whether they change more than rounding explains."""
        return self.difference is None or self.difference > self.allowed

    def words(self) -> str:
        """All of it in whole sentences."""
        if self.refused:
            return (
                f"The graph does not run with ONNX Runtime's optimizations: {self.refused} They are off for the "
                "baseline."
            )
        size = "in shape or by odd values" if self.difference is None else f"by {self.difference:.2g} of their size"
        first = f", first at {' and '.join(self.nodes)}" if self.nodes else ""
        sentence = (
            f"ONNX Runtime's optimizations change the outputs of the graph, {size} at most, on {self.samples} "
            f"inputs ({self.allowed:g} counts as rounding){first}."
        )
        if not self.exceeds:
            return sentence
        if self.drop is not None:
            sentence += (
                f" By that it loses {100 * self.drop:.2f} percentage points on {self.judged_on:,} labelled samples."
            )
        elif not self.kept:
            sentence += " Without ground truth, nothing tells which outputs are correct."
        rest = "They stay on." if self.kept else "They are off for the baseline."
        return f"{sentence} {rest}"


@dataclass(frozen=True)
class DataFacts:
    """The samples that were used: file name (no folder), digest, count, whether labelled, digest of the file alone.

    The last is the same however many samples of the file were used; it is empty where that is the first digest as well.
    """

    name: str
    digest: str
    samples: int
    labelled: bool
    table: str = ""

    def same_data(self, other: DataFacts) -> bool:
        """Whether the samples of both are drawn from the same data."""
        return self.digest == other.digest or (self.table or self.digest) == (other.table or other.digest)


@dataclass(frozen=True)
class Settings:
    """How it was measured: rounds, calls a round and engine, warm-up calls, threads of an engine, seed."""

    rounds: int
    calls: int
    warmup: int
    threads: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measurement of several engines on one machine.

    Attributes:
        kind: `build`: the choice was made from it; `bench`: made after the choice, on other data.
        model: Name of the model for people.
        task: Task name as transformers' pipelines spell it, or `arrays`.
        measure: What `accuracy.drop` is a drop of: labelled accuracy, or agreement with the float baseline.
        max_drop: The user's budget, as a share (0.01 is one percentage point).
        baseline: Name of the float engine.
        chosen: Name of the engine that ships.
        reason: Why, in one sentence.
        engines: In the order they were tried.
        data: What it was measured on.
        machine: Where.
        versions: Tool name to version.
        settings: How.
        warnings: What makes these figures less sure, and what to do about it.
        created: UTC time, ISO 8601.
        optimizer: What ONNX Runtime's optimizations change; None where the model is not a graph that came as a file.
    """

    kind: Literal["build", "bench"]
    model: str
    task: str
    measure: Measure
    max_drop: float
    baseline: str
    chosen: str
    reason: str
    engines: tuple[EngineResult, ...]
    data: DataFacts
    machine: HostFacts
    versions: dict[str, str]
    settings: Settings
    warnings: tuple[str, ...]
    created: str
    schema: str = SCHEMA
    optimizer: OptimizerFacts | None = None

    def __post_init__(self) -> None:
        unjudged = [engine.name for engine in self.engines if engine.status == "unjudged"]
        if unjudged:
            raise RecordError(f"A result has engines that were not judged: {', '.join(unjudged)[:_SHOWN]}.")

    def engine(self, name: str) -> EngineResult:
        """The result of the engine called `name`."""
        for engine in self.engines:
            if engine.name == name:
                return engine
        raise InputError(
            f"No engine '{name}' in this result.", hint=f"It has: {', '.join(e.name for e in self.engines)}."
        )


def write_result(result: Result, path: Path) -> None:
    """Write `result` as JSON; every raw value is kept."""
    path.write_text(json.dumps(write_record(result), indent=1) + "\n", encoding="utf-8")


def result_from_json(data: Any, where: str) -> Result:
    """A result from parsed JSON; `where` names the place for messages.

    Raises:
        InputError: Not a result, or one of a newer schema.
    """
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        raise RecordError(f"{where}: this version cannot read the result (schema {schema!r}, expected {SCHEMA!r}).")
    return read_record(Result, data, where)


def read_result(path: str | Path) -> Result:
    """Read a result file; see `result_from_json` for errors."""
    try:
        size = Path(path).stat().st_size
        if size > _LIMIT_BYTES:
            raise InputError(f"'{path}' has {size:,} bytes; the limit for a result is {_LIMIT_BYTES:,}.")
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    # RecursionError: brackets nested without end.
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"'{path}' cannot be read as a result: {error}.") from error
    return result_from_json(data, str(path))
