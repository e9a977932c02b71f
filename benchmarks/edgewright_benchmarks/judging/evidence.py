"""From readings to evidence: what the meter read, scored and compared with the baseline. Pure computation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from edgewright_benchmarks.accuracy import Scoring
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.judging.baseline_doubt import baseline_doubt
from edgewright_benchmarks.judging.changed_predictions import changed_predictions
from edgewright_benchmarks.judging.odd_values import odd_values
from edgewright_benchmarks.measuring.meter import MeterSettings, Readings
from edgewright_benchmarks.result import DataFacts, EngineResult, Latency, Measure, Settings
from edgewright_benchmarks.statistics.intervals import latency_ratio, stability_warnings
from edgewright_benchmarks.tasks import find_task
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
    """

    spec: NamedEngine
    size_bytes: int
    rung: Rung = "measured"
    notes: tuple[str, ...] = ()
    nodes: dict[str, int] = field(default_factory=dict)
    low_precision: dict[str, int] = field(default_factory=dict)


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
    task: str,
    baseline: str,
    max_drop: float,
) -> Comparison:
    """Score every engine and compare it with the baseline on the same samples and in the same rounds.

    An engine without readings was not run: it has no figures but its size.
    """
    metric = find_task(task).metric(labelled=data.labels is not None)
    reference = readings[baseline]
    scoring = Scoring(metric, data.labels, reference.predictions, max_drop=max_drop)
    results = [
        _result(engine, readings.get(engine.spec.name), reference, scoring, own=engine.spec.name == baseline)
        for engine in engines
    ]
    timed = {result.name: result.latency.rounds for result in results if result.latency is not None}
    warned = (*reference.changes.sentences(len(data.samples)), *stability_warnings(timed))
    figure = next((result.accuracy for result in results if result.name == baseline), None)
    doubtful = ""
    if figure is not None and data.labels is not None:
        doubtful = baseline_doubt(figure, reference.predictions, data.labels)
    return Comparison(tuple(results), metric.measure, warned, doubtful)


def _result(
    engine: EngineFacts, readings: Readings | None, reference: Readings, scoring: Scoring, *, own: bool
) -> EngineResult:
    """One engine, not judged yet.

    Args:
        engine: It.
        readings: Its readings; None where it was not run.
        reference: The baseline's.
        scoring: By the metric of the task, against the baseline.
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
        latency=_latency(readings, reference) if engine.rung == "measured" else None,
        load_seconds=readings.loads,
        peak_memory_bytes=readings.peak_memory_bytes or None,
        nodes=nodes,
        native=readings.native,
    )
    if own:
        return replace(read, accuracy=scoring.of_baseline())
    return replace(
        read,
        reasons=(*read.reasons, *odd_values(readings.predictions, reference.predictions)),
        accuracy=scoring.of(readings.predictions),
        otherwise=changed_predictions(scoring.changed(readings.predictions)),
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


def _latency(readings: Readings, baseline: Readings) -> Latency:
    values = np.array([value for one in readings.seconds for value in one])
    p50, p90, p95, p99 = (float(p) for p in np.percentile(values, [50, 90, 95, 99]))
    throughput = float(len(values) / values.sum())
    ratio = latency_ratio(readings.seconds, baseline.seconds)
    return Latency(
        rounds=readings.seconds,
        median=p50,
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        throughput=throughput,
        ratio=ratio,
        busy=readings.busy,
        baseline_busy=baseline.busy,
    )


def data_facts(data: Dataset) -> DataFacts:
    """What a result says about its samples."""
    table = "" if data.table == data.digest else data.table
    return DataFacts(data.name, data.digest, len(data.samples), data.labels is not None, table)


def settings_facts(settings: MeterSettings, calls: int, samples: int, threads: int) -> Settings:
    """What a result says about how it was measured; every sample is a warm-up call. Without calls nothing was timed."""
    if not calls:
        return Settings(0, 0, 0, threads, settings.seed)
    return Settings(settings.rounds, calls, samples, threads, settings.seed)


def tool_versions(device: Mapping[str, str] | None = None) -> dict[str, str]:
    """Versions of what a measurement depends on; on a device, those of its libraries are given."""
    names = _TOOLS if device is None else _JUDGES
    return {"edgewright": __version__, **(device or {}), **installed_versions(names)}


def now() -> str:
    """UTC time, ISO 8601, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
