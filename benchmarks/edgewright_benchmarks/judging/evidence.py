"""From readings to evidence: what the meter read, scored and compared with the baseline. Pure computation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from edgewright_benchmarks.accuracy import Scoring
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.engine_result import EngineResult, FloatNodes, Latency
from edgewright_benchmarks.judging.baseline_doubt import baseline_doubt
from edgewright_benchmarks.judging.changed_predictions import changed_predictions
from edgewright_benchmarks.judging.odd_values import odd_values
from edgewright_benchmarks.measuring.cold_starts import cold_start_of
from edgewright_benchmarks.measuring.energy import energy_of
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.measuring.text_speed import text_speeds_of
from edgewright_benchmarks.result import DataFacts, Measure, Settings
from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_benchmarks.statistics.intervals import latency_ratio, stability_warnings
from edgewright_benchmarks.statistics.percentiles import latency_draws
from edgewright_benchmarks.tasks import Task
from edgewright_benchmarks.versions import installed_versions
from edgewright_runtime.providers import PLUGINS
from edgewright_targets import Rung, __version__
from edgewright_targets.engine_kinds import EngineKind

# What scores and compares; it runs here wherever the engines ran.
_JUDGES = ("scikit-learn", "scipy")
_TOOLS = ("onnxruntime", *PLUGINS, "tokenizers", "pillow", "numpy", *_JUDGES)


class NamedEngine(Protocol):
    """What evidence says of an engine that a package has, or that is not in one yet."""

    @property
    def name(self) -> str:
        """`<target>-<candidate>`."""

    @property
    def target(self) -> str:
        """Target it was made for."""

    @property
    def provider(self) -> str:
        """Execution provider it needs."""

    @property
    def precision(self) -> str:
        """Word for people."""

    @property
    def kind(self) -> EngineKind:
        """What its kind of engine is."""


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """Facts about an engine that was measured.

    Attributes:
        spec: The engine.
        size_bytes: Bytes of the files that the engine needs.
        rung: How the readings were obtained.
        notes: Sentences that must be shown with the figures.
        nodes: Provider to number of graph nodes, where its compiler counted them before they became one program.
        low_precision: Operator type to the number of graph nodes that compute in its low precision.
        float_nodes: What of its graphs stays in float because of what it is.
    """

    spec: NamedEngine
    size_bytes: int
    rung: Rung = "measured"
    notes: tuple[str, ...] = ()
    nodes: dict[str, int] = field(default_factory=dict)
    low_precision: dict[str, int] = field(default_factory=dict)
    float_nodes: tuple[FloatNodes, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All engines of one measurement, scored against the baseline.

    Attributes:
        engines: In the order given; those with a failure have status `failed`, those that wait for the
            device `unfinished`, the others `unjudged`.
        measure: What the drops are drops of.
        warnings: What makes the figures less sure.
        doubt: What is doubtful in the baseline's own figure; empty where nothing is.
    """

    engines: tuple[EngineResult, ...]
    measure: Measure
    warnings: tuple[str, ...]
    doubt: str = ""


def compare_engines(
    engines: Sequence[EngineFacts],
    readings: Mapping[str, Readings],
    data: Dataset,
    *,
    task: Task,
    baseline: str,
    max_drop: float,
    confidence: float = CONFIDENCE,
    keep_scores: bool = False,
) -> Comparison:
    """Score every engine and compare it with the baseline on the same samples and in the same rounds.

    An engine without readings was not run: it has no figures but its size.

    Args:
        engines: Those of one measurement.
        readings: Engine to what was read from it.
        data: What it was read on.
        task: Of the model, with the metric that was asked for.
        baseline: Name of the float engine.
        max_drop: The budget as a share.
        confidence: Of the bounds of drops and the intervals of latency ratios, 0..1.
        keep_scores: Keep what each sample is worth to each engine.
    """
    metric = task.metric(labelled=data.labels is not None)
    reference = readings[baseline]
    scoring = Scoring(
        metric,
        data.labels,
        reference.predictions,
        max_drop=max_drop,
        confidence=confidence,
        keep_scores=keep_scores,
    )
    found: dict[str, EngineResult] = {}
    # The baseline first: others may have its predictions.
    for engine in sorted(engines, key=lambda one: one.spec.name != baseline):
        name, read = engine.spec.name, readings.get(engine.spec.name)
        twin = found.get(read.same_as) if read is not None else None
        found[name] = _result(engine, read, reference, scoring, twin, own=name == baseline)
    results = [found[engine.spec.name] for engine in engines]
    # Beside busy programs times spread, as they are meant to.
    latencies = {result.name: result.alone or result.latency for result in results}
    timed = {name: latency.rounds for name, latency in latencies.items() if latency is not None}
    own = next((result for result in results if result.name == baseline), None)
    warned = (
        *reference.changes.sentences(len(data.samples)),
        *stability_warnings(
            timed, confidence, baseline=baseline, busy=own.latency.busy if own and own.latency else None
        ),
    )
    figure = own.accuracy if own else None
    doubtful = ""
    if figure is not None and data.labels is not None:
        doubtful = baseline_doubt(figure, reference.predictions, data.labels)
    return Comparison(tuple(results), metric.measure, warned, doubtful)


def _result(
    engine: EngineFacts,
    readings: Readings | None,
    reference: Readings,
    scoring: Scoring,
    twin: EngineResult | None,
    *,
    own: bool,
) -> EngineResult:
    """One engine, not judged yet.

    Args:
        engine: It.
        readings: Its readings; None where it was not run.
        reference: The baseline's.
        scoring: By the metric of the task, against the baseline.
        twin: The engine whose predictions it has, scored.
        own: It is the baseline itself.
    """
    spec = engine.spec
    unread = EngineResult(
        name=spec.name,
        target=spec.target,
        provider=spec.provider,
        precision=spec.precision,
        rung=engine.rung,
        status="unjudged",
        reasons=engine.notes,
        size_bytes=engine.size_bytes,
        nodes=engine.nodes,
        low_precision=engine.low_precision,
        float_nodes=engine.float_nodes,
    )
    if readings is None:
        # Made ahead of time for hardware that is not here: the device decides.
        return replace(unread, status="unfinished") if spec.kind.ahead_of_time else unread
    if readings.failure is not None or reference.failure is not None:
        return _failed(unread, readings.failure or "The baseline failed, so it cannot be compared.")
    assert readings.info is not None, "without a failure it was loaded"
    if not readings.info.nodes.get(spec.provider):
        # What ran is another provider's engine; under this name it would claim what its provider did not do.
        return _failed(unread, f"{spec.provider} ran none of the graph's nodes.")
    nodes = engine.nodes or readings.info.nodes
    read = replace(
        unread,
        # Of an engine compiled ahead of time the notes say who runs its nodes.
        reasons=engine.notes if engine.nodes else (*engine.notes, *_foreign(nodes, spec.provider)),
        latency=latency_of(readings, reference, scoring.confidence) if engine.rung == "measured" else None,
        alone=_alone(readings, reference, scoring.confidence) if engine.rung == "measured" else None,
        load_seconds=readings.loads,
        cold_start=cold_start_of(readings.cold_starts, scoring.confidence),
        text_speed=text_speeds_of(readings.token_times, scoring.confidence),
        energy=energy_of(readings.energy, scoring.confidence),
        unknown=readings.unknown,
        peak_memory_bytes=readings.peak_memory_bytes or None,
        nodes=nodes,
        native=readings.native,
        threads=readings.info.threads,
        guide=readings.guide,
        retimed=readings.retimed,
    )
    if own:
        return replace(read, accuracy=scoring.of_baseline())
    if twin is not None and twin.accuracy is not None:
        return _like_its_twin(read, twin, readings.compared)
    return replace(
        read,
        reasons=(*read.reasons, *odd_values(readings.predictions, reference.predictions)),
        accuracy=scoring.of(readings.predictions),
        otherwise=changed_predictions(scoring.changed(readings.predictions)),
    )


def _like_its_twin(result: EngineResult, twin: EngineResult, compared: int) -> EngineResult:
    """The result with the accuracy of the engine whose predictions it has; that of the baseline loses nothing."""
    note = (
        f"It is {twin.name} with other settings of speed. On {compared:,} samples its outputs were equal to the last "
        "bit, so its accuracy is taken from there."
    )
    return replace(
        result,
        reasons=(*result.reasons, note),
        accuracy=twin.accuracy,
        otherwise=twin.otherwise,
        same_as=twin.same_as or twin.name,
    )


def _failed(result: EngineResult, reason: str) -> EngineResult:
    # Nothing ran, so nothing was measured: the rung of a failure is the lowest.
    return replace(result, rung="declared", size_bytes=None, status="failed", reasons=(reason,), nodes={})


def failed_engine(name: str, target: str, provider: str, precision: str, reason: str) -> EngineResult:
    """The result of a candidate that could not even be made."""
    return EngineResult(
        name=name,
        target=target,
        provider=provider,
        precision=precision,
        rung="declared",
        status="failed",
        reasons=(reason,),
    )


def _foreign(nodes: dict[str, int], provider: str) -> tuple[str, ...]:
    foreign = sum(count for name, count in nodes.items() if name != provider)
    if not foreign:
        return ()
    return (f"{provider} took {sum(nodes.values()) - foreign} of {sum(nodes.values())} graph nodes.",)


def _alone(readings: Readings, baseline: Readings, confidence: float) -> Latency | None:
    """The latency without busy programs, where there were some."""
    if not readings.rounds_beside:
        return None
    return latency_of(replace(readings, rounds_beside=(), beside=0), replace(baseline, rounds_beside=()), confidence)


def latency_of(readings: Readings, baseline: Readings, confidence: float) -> Latency:
    """The latency of an engine from its rounds, with its ratio to the baseline's."""
    values = np.array([value for one in readings.seconds for value in one])
    p50, p90, p95, p99 = (float(p) for p in np.percentile(values, [50, 90, 95, 99]))
    throughput = float(len(values) / values.sum())
    ratio = latency_ratio(readings.seconds, baseline.seconds, confidence=confidence)
    return Latency(
        rounds=readings.seconds,
        median=p50,
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        throughput=throughput,
        ratio=ratio,
        intervals=latency_draws(readings.seconds).intervals(confidence),
        busy=readings.busy,
        baseline_busy=baseline.busy,
        beside=readings.beside,
    )


def data_facts(data: Dataset) -> DataFacts:
    """What a result says about its samples."""
    table = "" if data.table == data.digest else data.table
    return DataFacts(data.name, data.digest, len(data.samples), data.labels is not None, table)


def settings_facts(settings: MeterSettings, calls: int, samples: int, threads: int) -> Settings:
    """What a result says about how it was measured; every sample is a warm-up call. Without calls nothing was timed."""
    if not calls:
        return Settings(rounds=0, calls=0, warmup=0, threads=threads, seed=settings.seed)
    return Settings(
        rounds=settings.rounds,
        calls=calls,
        warmup=samples,
        threads=threads,
        seed=settings.seed,
        beside=settings.beside,
    )


def tool_versions(device: Mapping[str, str] | None = None) -> dict[str, str]:
    """Versions of what a measurement depends on; on a device, those of its libraries are given."""
    names = _TOOLS if device is None else _JUDGES
    return {"edgewright": __version__, **(device or {}), **installed_versions(names)}


def now() -> str:
    """UTC time, ISO 8601, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
