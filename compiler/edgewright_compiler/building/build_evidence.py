"""The choice of a build: readings judged against the budget. Pure computation; nothing is measured here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_benchmarks.judging.choice import choose
from edgewright_benchmarks.judging.evidence import (
    EngineFacts,
    compare_engines,
    data_facts,
    failed_engine,
    settings_facts,
    tool_versions,
)
from edgewright_benchmarks.metrics import metric_value, metric_words
from edgewright_benchmarks.result import EngineResult, Result
from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.doubted_baseline import doubt_warnings
from edgewright_compiler.building.target_readings import TargetReadings

if TYPE_CHECKING:
    from edgewright_compiler.building.engine_files import EngineFiles
    from edgewright_compiler.building.job import Job
    from edgewright_compiler.building.made_engines import MadeEngines
    from edgewright_compiler.reach.execution_modes import ExecutionMode


def judge_readings(job: Job, made: MadeEngines, measured: TargetReadings) -> Result:
    """The evidence of a build: every candidate of the target with what became of it, and the choice."""
    exported = made.exported.model
    modes = job.engine_modes
    baseline = job.engine_name(job.target.baseline)
    compared = compare_engines(
        [_engine_facts(engine, modes[engine.draft.name]) for engine in made.engines],
        measured.readings,
        job.evaluation,
        task=exported.task,
        baseline=baseline,
        max_drop=job.options.max_drop,
    )
    doubts = doubt_warnings(job, compared.doubt)
    by_name = {engine.name: _as_reference(engine, modes[engine.name]) for engine in compared.engines}
    everything = [
        by_name.get(job.engine_name(candidate.name))
        or failed_engine(
            job.engine_name(candidate.name),
            job.target.name,
            candidate.provider,
            candidate.precision,
            made.failures[candidate.name],
        )
        for candidate in job.target.candidates
    ]
    judged = choose(everything, baseline, max_drop=job.options.max_drop, measure=compared.measure)
    return Result(
        kind="build",
        model=job.source.name,
        task=exported.task,
        measure=compared.measure,
        max_drop=job.options.max_drop,
        baseline=baseline,
        chosen=judged.chosen,
        reason=judged.reason,
        engines=judged.engines,
        data=data_facts(job.evaluation),
        machine=measured.machine,
        versions={**tool_versions(), **installed_versions(job.source.tools)},
        settings=settings_facts(job.options.meter, measured.calls, len(job.evaluation.samples), job.threads),
        warnings=(*doubts, *exported.notes, *_warnings(job, made, judged.engines), *compared.warnings),
        created=measured.created,
        optimizer=made.optimizer,
    )


def _as_reference(engine: EngineResult, mode: ExecutionMode) -> EngineResult:
    """What a reference answered is a fact about the model, and no figure of an engine that was not run."""
    if mode.runs != "reference" or engine.accuracy is None:
        return engine
    name, value = next(iter(engine.accuracy.metrics.items()))
    figure = metric_value(name, value.value)
    there = f"There its {metric_words(name)} was {figure} on {engine.accuracy.samples:,} samples."
    return dataclasses.replace(engine, accuracy=None, reasons=(*engine.reasons, there))


def _warnings(job: Job, made: MadeEngines, engines: Sequence[EngineResult]) -> tuple[str, ...]:
    warnings = []
    if made.optimizer is not None and made.optimizer.exceeds:
        warnings.append(made.optimizer.words())
    if job.source.quantized:
        warnings.append(
            f"{job.source.name} is already quantized ({job.source.quantized}). Its numbers were not changed and no "
            "candidate that quantizes was tried. Everything is compared with the model as given."
        )
    if job.evaluation.labels is None:
        warnings.append(
            "No labelled data was given, so agreement with the float model is used instead of accuracy. Pass "
            "labelled data with --evaluation to measure accuracy."
        )
    if job.calibration is not None and data_facts(job.calibration).same_data(data_facts(job.evaluation)):
        warnings.append(
            "The engine was chosen on the calibration data, where calibrated engines look better than they are. Pass "
            "other data with --evaluation."
        )
    rungs = {engine.rung for engine in engines}
    if "emulated" in rungs:
        warnings.append(
            f"No engine for {job.target.name} ran on its hardware: predictions come from an emulator, on "
            f"{len(job.evaluation.samples):,} samples, and latency was not measured. Bench on the device before you "
            "rely on its speed."
        )
    elif "measured" not in rungs:
        warnings.append(
            f"No engine for {job.target.name} ran, on its hardware or in an emulator: neither predictions nor "
            "latency were checked. Bench on the device before you rely on the package."
        )
    undecided = [e.accuracy.samples_needed for e in engines if e.accuracy and e.accuracy.samples_needed]
    if undecided:
        how = " In an emulator, --emulated-samples limits the number." if job.rung == "emulated" else ""
        warnings.append(
            f"There are too few samples to decide about {len(undecided)} of {len(engines)} candidates. About "
            f"{min(undecided):,} samples would decide about the first of them.{how}"
        )
    return tuple(warnings)


def _engine_facts(engine: EngineFiles, mode: ExecutionMode) -> EngineFacts:
    notes = (*engine.notes, mode.note) if mode.note else engine.notes
    return EngineFacts(
        spec=engine.draft,
        size_bytes=engine.size_bytes(),
        rung=mode.rung,
        notes=notes,
        nodes=engine.nodes(),
        low_precision=engine.low_precision,
    )
