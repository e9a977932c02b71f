"""What a measurement of a whole application found: raw values and what was computed from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edgewright_benchmarks.applications.chosen_engines import ChosenEngines
from edgewright_benchmarks.applications.fitted_weights import FittedWeights
from edgewright_benchmarks.applications.model_facts import ModelFacts
from edgewright_benchmarks.applications.threshold_result import FoundThreshold
from edgewright_benchmarks.applications.whole_memory import WholeMemory
from edgewright_benchmarks.engine_result import Accuracy
from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.result import DataFacts, Settings
from edgewright_targets import HostFacts, Rung
from edgewright_targets.record import ADDED_LATER, RecordError, read_record

if TYPE_CHECKING:
    from edgewright_runtime.applications.application import ApplicationPackage

# Name and number of the schema, written into each result; see `result.SCHEMA`.
WHOLE_SCHEMA: Final = "edgewright.application/1"
# Failures that are listed; all are counted.
MOST_LISTED: Final = 100
# Characters that a message shows of names.
_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class WholeLatency:
    """Seconds of one call of the application, from its inputs to all its values.

    Attributes:
        rounds: The raw seconds, one list a round.
        mean: Of all calls; likewise the percentiles.
        throughput: Calls a second of one stream.
        intervals: Of the percentiles and the throughput, by name.
    """

    rounds: tuple[tuple[float, ...], ...]
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    throughput: float
    intervals: dict[str, Interval]

    @property
    def values(self) -> tuple[float, ...]:
        """All raw seconds in the order they were taken."""
        return tuple(value for values in self.rounds for value in values)


@dataclass(frozen=True, kw_only=True)
class StepFigures:
    """What one step took, and how often it ran.

    Attributes:
        name: The value that it makes.
        does: The model that it calls, or its node.
        samples: Samples of the data for which it was called.
        calls: How often it was called for them: more often where it runs for each value of a list.
        share: Of the time of all timed calls, 0..1.
        median: Seconds of it in the timed calls in which it ran; None where it ran in none.
        when: Its condition; empty where it has none.
        held: Samples for which the condition held; None without a condition.
    """

    name: str
    does: str
    samples: int
    calls: int
    share: float
    median: float | None = None
    when: str = ""
    held: int | None = None


@dataclass(frozen=True)
class ValueFigures:
    """How good a value is against its ground truth.

    Attributes:
        value: Its name.
        metric: The name of its metric, as in the file of an application.
        missing: Samples without it: a step was left out, or failed.
        accuracy: Metrics with intervals. A missing value counts as wrong. Its `drop` is against float engines, where
            they were compared.
    """

    value: str
    metric: str
    missing: int
    accuracy: Accuracy


@dataclass(frozen=True, kw_only=True)
class FloatWhole:
    """The application with the float baseline of each model, timed in turns with it on the same samples.

    Attributes:
        engines: Model to its float baseline.
        latency: Seconds of one call with them.
        ratio: Latency of the application over this one, round by round; below 1 is faster.
        values: Judged values with them; what was lost against them is the `drop` of the values of the application.
        failed: Samples that have no answers with them.
    """

    engines: dict[str, str]
    latency: WholeLatency
    ratio: Interval
    values: tuple[ValueFigures, ...]
    failed: int


@dataclass(frozen=True)
class Failure:
    """A sample that has no answers, or a value of a list that a step failed on.

    Attributes:
        sample: Its number, counted from 1 among those that were measured.
        reason: Why, as a sentence.
        step: Of a value of a list, the step that failed; empty where the whole sample did.
        index: Of a value of a list, its place, counted from 0.
    """

    sample: int
    reason: str
    step: str = ""
    index: int | None = None


@dataclass(frozen=True, kw_only=True)
class WholeResult:
    """One measurement of an application on one machine.

    Attributes:
        name: Of the application.
        rung: How the figures were obtained.
        data: What it was measured on.
        machine: Where.
        versions: Tool name to version.
        settings: How.
        engines: Model to the engine that answered, of those that were called.
        latency: Of samples that did not fail.
        steps: In the order in which they run.
        values: Judged values; the first is what budgets are of. Empty where nothing is labelled.
        failed: Samples without answers; they count as wrong.
        failed_values: Values of lists that a step failed on.
        failures: The first of both.
        warnings: What makes the figures less sure, and what the data does not show.
        created: UTC time, ISO 8601.
        confidence: Of the intervals (0..1).
        thresholds: What a build found on this data.
        fitted: Weights of fusions that a build fitted on other data.
        models: Of the application, with the engine that answered; empty in results of before.
        float_whole: The same with float engines, in turns; None where all engines are float, and in results of before.
        chosen_engines: Which models run the engines of their own builds, as the build of the whole decided it.
        memory: Of a process that runs it; None where that was not read, and in results of before.
    """

    name: str
    data: DataFacts
    machine: HostFacts
    versions: dict[str, str]
    settings: Settings
    engines: dict[str, str]
    latency: WholeLatency
    steps: tuple[StepFigures, ...]
    values: tuple[ValueFigures, ...]
    failed: int
    failed_values: int
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...]
    created: str
    confidence: float = 0.95
    rung: Rung = "measured"
    thresholds: tuple[FoundThreshold, ...] = ()
    fitted: tuple[FittedWeights, ...] = ()
    models: tuple[ModelFacts, ...] = field(default=(), metadata=ADDED_LATER)
    float_whole: FloatWhole | None = field(default=None, metadata=ADDED_LATER)
    chosen_engines: ChosenEngines | None = field(default=None, metadata=ADDED_LATER)
    memory: WholeMemory | None = field(default=None, metadata=ADDED_LATER)
    schema: str = field(default=WHOLE_SCHEMA)


def whole_evidence(package: ApplicationPackage) -> WholeResult | None:
    """What the build of an application measured of the whole; None where it did not.

    Raises:
        InputError: The evidence cannot be read.
    """
    if not package.measured:
        return None
    return whole_result_from_json(package.evidence(), f"{package.root}: evidence of the whole")


def found_here(result: WholeResult, data: DataFacts) -> tuple[str, ...]:
    """That a build found thresholds or weights on the data that judges them, as sentences.

    Args:
        result: The evidence of that build.
        data: What judges.
    """
    found = []
    if data.same_data(result.data):
        found += [f"The threshold of '{one.step}' was found" for one in result.thresholds]
    found += [
        f"The weights of '{one.step}' were fitted"
        for one in result.fitted
        if one.data is not None and data.same_data(one.data)
    ]
    return tuple(f"{one} on this data ({data.name}): its accuracy here is too good." for one in found)


def whole_result_from_json(data: object, where: str) -> WholeResult:
    """A result of an application from parsed JSON; `where` names the place for messages.

    Raises:
        InputError: Not such a result, or one of another schema.
    """
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != WHOLE_SCHEMA:
        raise RecordError(
            f"{where}: this version cannot read the result (schema {str(schema)[:_SHOWN]!r}, expected "
            f"{WHOLE_SCHEMA!r}).",
            hint="Measure again with this version.",
        )
    return read_record(WholeResult, data, where)
