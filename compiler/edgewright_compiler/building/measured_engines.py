"""The last stage: what the engines of a target answer and how long they take; see `measure` for what is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.measuring.guide import Guide
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.draft_package import write_draft
from edgewright_compiler.building.engine_draft import EngineDraft
from edgewright_compiler.building.engine_files import EngineFiles
from edgewright_compiler.building.job import RUN_TOOLS, Job
from edgewright_compiler.building.made_engines import MadeEngines
from edgewright_compiler.building.measure import Drafts, measure
from edgewright_compiler.building.stage import DataKey, Stage, Stages
from edgewright_compiler.cache import digest_of
from edgewright_compiler.emulators import emulated_by_provider
from edgewright_compiler.reach.execution_modes import ExecutionMode
from edgewright_runtime.likeness import likeness_of
from edgewright_targets import HostFacts, Target, host_facts
from edgewright_targets.record import write_record


@dataclass(frozen=True, kw_only=True)
class _MeasureKey:
    exported: str
    engines: dict[str, EngineDraft]
    files: dict[str, str]
    modes: dict[str, ExecutionMode]
    data: DataKey
    golden: DataKey | None
    guide: DataKey | None
    meter: MeterSettings
    # Of engines that are timed the machine, of the others the target.
    machine: HostFacts | None
    target: Target | None
    # Where answers of this machine are kept beside an emulator's, they depend on both.
    emulators: dict[str, dict[str, str]] | None
    features: tuple[str, ...] | None
    tools: dict[str, str]


def measured_engines(
    stages: Stages, job: Job, made: MadeEngines, earlier: Mapping[str, Readings] | None = None
) -> Path:
    """The folder of readings of all engines that can run from here; see `read_target_readings`.

    Args:
        stages: Run the stage.
        job: What it is for.
        made: The engines.
        earlier: Engine to its readings in an earlier measurement of the same job, with other engines beside it.
    """
    modes = job.engine_modes
    running = [engine for engine in made.engines if modes[engine.draft.name].runs != "none"]
    names = [engine.draft.name for engine in running]
    emulated = [e for e in running if modes[e.draft.name].runs == "emulated"]
    # Of an accelerator's engine there is nothing that this machine's processor could run.
    native = [_exactly_here(engine) for engine in emulated if not emulated_by_provider(engine.draft.provider)]
    doing, done = "Measuring", "Measured"
    if job.rung != "measured":
        doing, done = "Emulating", "Emulated" if emulated else "Ran here, as the reference"

    baseline = job.engine_name(job.target.baseline)
    same = _same(sorted(running, key=lambda engine: engine.draft.name != baseline))
    ordering = job.guide_data
    guide = None
    if ordering is not None:
        alike = likeness_of(made.exported.model.pipeline)
        guide = Guide(baseline, ordering.samples, alike)

    def make(place: Path) -> None:
        count = len(names) if job.rung == "measured" else len(emulated)
        if count:
            stages.progress.note(f"{doing} {count} engines on {len(job.evaluation.samples):,} samples ...")
        with stages.scratch() as scratch:
            # A reference runs on this machine, which refuses engines of another architecture, as it should.
            drafted = [_here(e) if modes[e.draft.name].runs == "reference" else e for e in running]
            write_draft(scratch / "package", job, made.exported, drafted)
            if native:
                write_draft(scratch / "native", job, made.exported, native)
            natives = [engine.draft.name for engine in native]
            drafts = Drafts(
                package=scratch / "package",
                engines=names,
                native=scratch / "native",
                natives=natives,
                same=same,
                earlier=earlier or {},
            )
            measure(place, drafts, job, stages.progress, guide)

    key = _MeasureKey(
        exported=made.exported.digest,
        engines={engine.draft.name: engine.draft for engine in running},
        files={engine.draft.name: engine.digest() for engine in running},
        modes={name: modes[name] for name in names},
        data=DataKey.of(job.evaluation),
        golden=DataKey.of(job.golden) if job.golden else None,
        guide=DataKey.of(ordering) if ordering else None,
        meter=job.options.meter,
        machine=host_facts() if job.rung == "measured" else None,
        target=job.target if job.rung != "measured" else None,
        emulators=job.emulator_facts() if native else None,
        features=host_facts().features if native else None,
        tools=installed_versions(RUN_TOOLS),
    )
    return stages.run(Stage("measure", key, done), make)


def _same(engines: Sequence[EngineFiles]) -> dict[str, str]:
    """Engine to an earlier one that computes the same in the same order, and differs in its speed alone."""
    first: dict[tuple[str, str], str] = {}
    found = {}
    for engine in engines:
        arithmetic = (engine.digest(), digest_of({"draft": write_record(engine.draft.arithmetic())}))
        name = first.setdefault(arithmetic, engine.draft.name)
        if name != engine.draft.name:
            found[engine.draft.name] = name
    return found


def _here(engine: EngineFiles) -> EngineFiles:
    return dataclasses.replace(engine, draft=engine.draft.here())


def _exactly_here(engine: EngineFiles) -> EngineFiles:
    return dataclasses.replace(engine, draft=engine.draft.exactly_here())
