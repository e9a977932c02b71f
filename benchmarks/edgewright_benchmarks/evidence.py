"""From readings to evidence: what the meter read, scored and compared with the baseline. Pure computation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.meter import MeterSettings, Readings
from edgewright_benchmarks.result import DataFacts, EngineResult, Latency, Measure, Settings
from edgewright_benchmarks.statistics import latency_ratio, stability_warnings
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.providers import PLUGINS
from edgewright_targets import Rung, __version__

_TOOLS = ("onnxruntime", *PLUGINS, "tokenizers", "pillow", "numpy", "scikit-learn", "scipy")


@dataclass(frozen=True)
class MeasuredEngine:
    """An engine that took part: its spec, and the bytes of the files that it needs."""

    spec: EngineSpec
    size_bytes: int


@dataclass(frozen=True)
class Comparison:
    """All engines of one measurement, scored against the baseline.

    Attributes:
        engines: In the order given; those with a failure have status `failed`, the others `refused` until judged.
        measure: What the drops are drops of.
        warnings: What makes the figures less sure.
    """

    engines: tuple[EngineResult, ...]
    measure: Measure
    warnings: tuple[str, ...]


def compare_engines(
    engines: Sequence[MeasuredEngine],
    readings: Mapping[str, Readings],
    data: Dataset,
    *,
    task: str,
    baseline: str,
    max_drop: float,
    rung: Rung = "measured",
) -> Comparison:
    """Score every engine and compare it with the baseline on the same samples and in the same rounds."""
    how = find_task(task).scorer(labelled=data.labels is not None)
    reference = readings[baseline]
    results = []
    timed: dict[str, list[tuple[float, ...]]] = {}
    for engine in engines:
        found = readings[engine.spec.name]
        result = _described(engine, rung)
        if found.failure is not None or reference.failure is not None:
            reason = found.failure or "The baseline failed, so there is nothing to compare with."
            results.append(_failed(result, reason))
            continue
        if not found.info["nodes"].get(engine.spec.provider):
            # What ran is another provider's engine; under this name it would claim what its provider did not do.
            results.append(_failed(result, f"{engine.spec.provider} took none of the graph's nodes."))
            continue
        if rung == "measured":
            timed[engine.spec.name] = found.rounds
        results.append(
            EngineResult(
                **result,
                status="refused",
                reasons=_notes(found, engine.spec.provider),
                latency=_latency(found.rounds, reference.rounds) if rung == "measured" else None,
                accuracy=how.score(found.outputs, data.labels, reference.outputs, max_drop=max_drop),
                load_seconds=tuple(found.loads),
                peak_memory_bytes=found.peak_memory_bytes or None,
                size_bytes=engine.size_bytes,
                nodes=found.info["nodes"],
            )
        )
    return Comparison(tuple(results), how.measure, stability_warnings(timed))


def _described(engine: MeasuredEngine, rung: Rung) -> dict[str, Any]:
    spec = engine.spec
    return {
        "name": spec.name,
        "target": spec.target,
        "provider": spec.provider,
        "precision": spec.precision,
        "rung": rung,
    }


def _failed(described: dict[str, Any], reason: str) -> EngineResult:
    # Nothing ran, so nothing was measured: the rung of a failure is the lowest.
    return EngineResult(**{**described, "rung": "declared"}, status="failed", reasons=(reason,))


def failed_engine(name: str, target: str, provider: str, precision: str, reason: str) -> EngineResult:
    """The result of a candidate that could not even be made."""
    return EngineResult(name, target, provider, precision, "declared", "failed", (reason,))


def _notes(found: Readings, provider: str) -> tuple[str, ...]:
    nodes: dict[str, int] = found.info["nodes"]
    foreign = sum(count for name, count in nodes.items() if name != provider)
    if not foreign:
        return ()
    return (f"{provider} took {sum(nodes.values()) - foreign} of {sum(nodes.values())} graph nodes.",)


def _latency(rounds: Sequence[tuple[float, ...]], baseline: Sequence[tuple[float, ...]]) -> Latency:
    values = np.array([value for one in rounds for value in one])
    p50, p90, p95, p99 = (float(p) for p in np.percentile(values, [50, 90, 95, 99]))
    throughput = float(len(values) / values.sum())
    return Latency(tuple(rounds), p50, p50, p90, p95, p99, throughput, latency_ratio(rounds, baseline))


def data_facts(data: Dataset) -> DataFacts:
    """What a result says about its samples."""
    return DataFacts(data.name, data.digest, len(data.samples), data.labels is not None)


def settings_facts(settings: MeterSettings, calls: int, samples: int, threads: int) -> Settings:
    """What a result says about how it was measured; every sample is a warm-up call."""
    return Settings(settings.rounds, calls, samples, threads, settings.seed)


def tool_versions() -> dict[str, str]:
    """Versions of what a measurement depends on."""
    found = {"edgewright": __version__}
    for name in _TOOLS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def now() -> str:
    """UTC time, ISO 8601, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
