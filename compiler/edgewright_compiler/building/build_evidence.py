"""The choice of a build: readings judged against the budget. Pure computation; nothing is measured here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.judging.choice import ONE_OF_SEVERAL, choose
from edgewright_benchmarks.judging.evidence import (
    Comparison,
    EngineFacts,
    compare_engines,
    data_facts,
    failed_engine,
    settings_facts,
    tool_versions,
)
from edgewright_benchmarks.metrics import metric_value, metric_words
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.search_trace import SearchTrace
from edgewright_benchmarks.tasks import find_task
from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.doubted_baseline import doubt_warnings
from edgewright_compiler.building.target_readings import TargetReadings

if TYPE_CHECKING:
    from edgewright_compiler.building.engine_files import EngineFiles
    from edgewright_compiler.building.job import Job
    from edgewright_compiler.building.made_engines import MadeEngines
    from edgewright_compiler.reach.execution_modes import ExecutionMode


def judge_readings(
    job: Job,
    made: MadeEngines,
    measured: Sequence[TargetReadings],
    unproven: Sequence[EngineResult] = (),
    search: SearchTrace | None = None,
) -> Result:
    """The evidence of a build: every candidate of the target with what became of it, and the choice.

    Args:
        job: Its target has all candidates.
        made: Their engines.
        measured: One measurement or several, each with the baseline in it: an engine is compared with the baseline of
            its own. The first has the baseline's own figures, and its machine stands for all.
        unproven: Engines of other candidates, which were not measured on the samples that count.
        search: How the engines were found, where they were searched.
    """
    exported = made.exported.model
    modes = job.engine_modes
    baseline = job.engine_name(job.target.baseline)
    compared = compare_measurements(job, made, measured)
    first = measured[0]
    doubts = doubt_warnings(job, compared.doubt)
    by_name = {engine.name: _as_reference(engine, modes[engine.name]) for engine in compared.engines}
    by_name |= {engine.name: engine for engine in unproven}
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
        confidence=job.options.confidence,
        baseline=baseline,
        chosen=judged.chosen,
        reason=judged.reason,
        engines=judged.engines,
        data=data_facts(job.evaluation),
        machine=first.machine,
        versions={**tool_versions(), **installed_versions(job.source.tools)},
        settings=settings_facts(job.options.meter, first.calls, len(job.evaluation.samples), job.threads),
        warnings=(*doubts, *exported.notes, *_warnings(job, made, judged.engines), *compared.warnings),
        created=first.created,
        optimizer=made.optimizer,
        search=search,
        own_code=job.options.own.facts(),
        build_settings=job.settings_in_force(),
    )


def compare_measurements(job: Job, made: MadeEngines, measured: Sequence[TargetReadings]) -> Comparison:
    """The engines of several measurements, each compared with the baseline of its own; see `judge_readings`."""
    modes = job.engine_modes
    baseline = job.engine_name(job.target.baseline)
    read = {name for one in measured for name in one.readings}
    compared = []
    for number, one in enumerate(measured):
        # What was not run at all is said once.
        names = {*one.readings, *(() if number else (e.draft.name for e in made.engines if e.draft.name not in read))}
        engines = [engine for engine in made.engines if engine.draft.name in names]
        compared.append(
            compare_engines(
                [_engine_facts(engine, modes[engine.draft.name]) for engine in engines],
                one.readings,
                job.evaluation,
                task=find_task(made.exported.model.task, job.options.own),
                baseline=baseline,
                max_drop=job.options.max_drop,
                confidence=job.options.confidence,
            )
        )
    # Of an engine that was measured again, the last counts; of the baseline the first, which the others share.
    found = {engine.name: engine for one in compared for engine in one.engines}
    found[baseline] = next(engine for engine in compared[0].engines if engine.name == baseline)
    warnings = dict.fromkeys(warning for one in compared for warning in one.warnings)
    return dataclasses.replace(compared[0], engines=tuple(found.values()), warnings=tuple(warnings))


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
    if job.split:
        warnings.append(job.split)
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
    if any(ONE_OF_SEVERAL in reason for engine in engines for reason in engine.reasons):
        warnings.append(
            "A candidate was refused that would have been accepted alone, because several share the error. Calibration "
            "data of their own (--calibration) order the candidates, and then none has to share it."
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
        float_nodes=engine.float_nodes,
    )
