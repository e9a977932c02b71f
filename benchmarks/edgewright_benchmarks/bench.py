"""Bench a package: the engines in it, on data that their choice never saw.

from edgewright_benchmarks.bench import bench

result = bench("intents.ortpackage", "test.csv")
result.engine(result.chosen).accuracy.metrics["accuracy"]
"""

from __future__ import annotations

import warnings
from pathlib import Path

from edgewright_benchmarks.choice import choose
from edgewright_benchmarks.data import Dataset, read_dataset
from edgewright_benchmarks.evidence import (
    MeasuredEngine,
    compare_engines,
    data_facts,
    now,
    settings_facts,
    tool_versions,
)
from edgewright_benchmarks.meter import MeterSettings, read_engines
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.result import EngineResult, Result, result_from_json
from edgewright_runtime import EngineFallbackWarning, Package, load
from edgewright_targets import InputError, host_facts


def build_evidence(package: Package, target: str | None = None) -> Result:
    """The evidence that came with a package for a target, by default its first, with types."""
    name = target or package.targets[0]
    return result_from_json(package.evidence(name), f"{package.root}: evidence for {name}")


def bench(
    path: str | Path,
    data: str | Path,
    *,
    settings: MeterSettings | None = None,
    progress: Progress | None = None,
) -> Result:
    """Measure every engine of a package that can run here against its float baseline.

    Args:
        path: Package folder or archive.
        data: Labelled data for accuracy; without labels, agreement with the float engine is measured.
        settings: How to measure.
        progress: Told how far it is.

    Raises:
        InputError: The package or the data cannot be read, or the float baseline cannot run here.
    """
    settings = settings or MeterSettings()
    package = Package.open(path)
    manifest = package.manifest
    samples = read_dataset(data, task=manifest.task, input_name=manifest.pipeline.input, class_names=manifest.labels)
    with warnings.catch_warnings():
        # The fallback is in the result, and said there.
        warnings.simplefilter("ignore", EngineFallbackWarning)
        with load(package, threads=settings.threads) as model:
            info = model.engine
    built = build_evidence(package, info.target)
    baseline = manifest.baselines[info.target]
    names = list(manifest.engines_for(info.target))
    readings, calls = read_engines(package.root, names, samples.samples, settings, progress or Quiet())
    if readings[baseline].failure is not None:
        raise InputError(
            f"The float baseline '{baseline}' cannot run here, so there is nothing to compare with: "
            f"{readings[baseline].failure}"
        )
    engines = [
        MeasuredEngine(manifest.engines[name], sum(p.stat().st_size for p in package.engine_files(name)))
        for name in names
    ]
    compared = compare_engines(
        engines, readings, samples, task=manifest.task, baseline=baseline, max_drop=built.max_drop
    )
    judged = choose(compared.engines, baseline, max_drop=built.max_drop, measure=compared.measure)
    running = next(engine for engine in judged.engines if engine.name == info.name)
    return Result(
        kind="bench",
        model=manifest.name,
        task=manifest.task,
        measure=compared.measure,
        max_drop=built.max_drop,
        baseline=baseline,
        chosen=info.name,
        reason=_reason(running, built, samples),
        engines=judged.engines,
        data=data_facts(samples),
        machine=host_facts(),
        versions=tool_versions(),
        settings=settings_facts(settings, calls, len(samples.samples), info.threads),
        warnings=(*_warnings(running, info.passed_over, built, samples), *compared.warnings),
        created=now(),
    )


def _reason(running: EngineResult, built: Result, samples: Dataset) -> str:
    if running.name != built.chosen:
        return f"{running.name} runs here; the build chose {built.chosen}, which cannot run on this machine."
    if samples.digest == built.data.digest:
        return built.reason
    return f"{built.reason} It was measured again here on {samples.name}, which the choice never saw."


def _warnings(
    running: EngineResult, passed_over: tuple[tuple[str, str], ...], built: Result, samples: Dataset
) -> tuple[str, ...]:
    found = [f"{name} was passed over: {reason}" for name, reason in passed_over]
    if samples.digest == built.data.digest:
        found.append(
            f"The engine was chosen on this very data ({samples.name}), so its accuracy here is flattering. Bench on "
            "data that the choice never saw."
        )
    if running.status == "refused":
        reasons = " ".join(running.reasons)
        found.append(
            f"On {samples.name} the engine that ships would not be accepted. {reasons} Build again with more "
            "evaluation data, or allow a larger drop."
        )
    if running.status not in ("baseline", "failed") and host_facts() != built.machine:
        found.append("This is not the machine that the engine was chosen on; build here for the fastest one.")
    return tuple(found)
