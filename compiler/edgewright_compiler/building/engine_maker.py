"""The engines of one target: from a source to an engine for each candidate. Each stage is cached by content.

export -> check -> (fix ->) quantize (-> compile)
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.building.calibration_feeds import CalibrationFeeds
from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.building.compiled_graph import compiled
from edgewright_compiler.building.engine_draft import draft_engine
from edgewright_compiler.building.engine_files import EngineFiles, PartFiles
from edgewright_compiler.building.exports import check, export
from edgewright_compiler.building.job import Job
from edgewright_compiler.building.made_engines import MadeEngines
from edgewright_compiler.building.optimizations import optimizer_facts
from edgewright_compiler.building.precision_tolerance import precision_tolerance
from edgewright_compiler.building.stage import CandidateError, Stages
from edgewright_compiler.compile import compiler
from edgewright_compiler.emulators import needs_gpu
from edgewright_compiler.graphs.exported import WEIGHTS_FOLDER, ExportedFolder, ExportedModel
from edgewright_runtime.providers import provider
from edgewright_targets import Candidate, InputError

if TYPE_CHECKING:
    from edgewright_benchmarks.optimizer_facts import OptimizerFacts


@dataclass(frozen=True)
class _Prepared:
    """What all engines of a build are made from."""

    exported: ExportedFolder
    graphs: Graphs
    optimizer: OptimizerFacts | None
    as_written: bool


class EngineMaker:
    """The stages of one target up to its engines."""

    def __init__(self, job: Job, stages: Stages) -> None:
        self._job = job
        self._stages = stages

    def make(self, job: Job | None = None) -> MadeEngines:
        """Export, check, and make the engine of each candidate.

        Args:
            job: The same build with other candidates; by default that of the maker. The graphs are exported once.
        """
        job, stages, prepared = job or self._job, self._stages, self._prepared
        engines: list[EngineFiles] = []
        failures: dict[str, str] = {}
        for candidate in job.target.candidates:
            try:
                made = self._made(job, self._keeping_float(candidate, prepared.exported.model))
                self._refuse_oversize(made)
                engines.append(made)
            except CandidateError as error:
                failures[candidate.name] = str(error)
                stages.progress.note(f"  {candidate.name} failed: {error}")
        return MadeEngines(prepared.exported, tuple(engines), failures, prepared.optimizer)

    @property
    def graphs(self) -> Graphs:
        """The float graphs, and the precisions of them that were made so far."""
        return self._prepared.graphs

    @functools.cached_property
    def _prepared(self) -> _Prepared:
        job, stages = self._job, self._stages
        # 1. The graphs, which answer as their source does.
        exported = export(stages, job)
        check(stages, job, exported)
        # 2. Whether ONNX Runtime's optimizations change what a graph that came as a file answers.
        optimizer = optimizer_facts(stages, job, exported) if job.source.graph_itself else None
        as_written = optimizer is not None and optimizer.exceeds and not optimizer.kept
        if optimizer is not None and optimizer.exceeds:
            stages.progress.note(f"  {optimizer.words()}")
        graphs = Graphs(stages, job, CalibrationFeeds(stages, job, as_written=as_written), exported)
        return _Prepared(exported, graphs, optimizer, as_written)

    def _keeping_float(self, candidate: Candidate, exported: ExportedModel) -> Candidate:
        """The candidate with a float recipe for the components that keep float."""
        if candidate.recipe.method == "float" or not exported.float_components:
            return candidate
        kept = dict.fromkeys(exported.float_components, self._job.baseline.recipe)
        return dataclasses.replace(candidate, component_recipes={**candidate.component_recipes, **kept})

    def _made(self, job: Job, candidate: Candidate) -> EngineFiles:
        _refuse_without_gpu(job, candidate)
        exported = self._prepared.graphs
        draft = draft_engine(job, candidate, exported.components, as_written=self._prepared.as_written)
        if not candidate.kind.ahead_of_time:
            quantized = exported.quantized(candidate)
            parts = self._plain(exported, quantized.folders)
            if candidate.fixed_axes:
                draft = draft.with_session_options(exported.fixed_axes(quantized.folders))
            return EngineFiles(draft, parts, low_precision=quantized.low_precision, float_nodes=quantized.float_nodes)
        if candidate.kind.plan:
            exported.refuse_plan()
        graphs, notes = exported, []
        if compiler(candidate.engine).STATIC_SHAPES:
            graphs, note = exported.fixed()
            notes.append(note)
            # Texts are padded to the one length there is.
            draft = dataclasses.replace(draft, pad_to_multiple_of=graphs.text_length() or draft.pad_to_multiple_of)
        quantized = graphs.quantized(candidate)
        tolerance = None
        if job.modes[candidate.name].runs == "none":
            tolerance, note = precision_tolerance(graphs, quantized.folders)
            notes.append(note)
        files, options = {}, {}
        for name, source in quantized.folders.items():
            folder, facts = compiled(graphs, name, source, candidate)
            files[name] = PartFiles(folder, facts)
            options[name] = facts.options
            notes += facts.notes if len(quantized.folders) == 1 else [f"{name}: {note}" for note in facts.notes]
        draft = draft.with_provider_options(options)
        return EngineFiles(
            draft,
            files,
            tuple(dict.fromkeys(notes)),
            tolerance,
            quantized.low_precision,
            float_nodes=quantized.float_nodes,
        )

    def _plain(self, exported: Graphs, folders: dict[str, Path]) -> dict[str, PartFiles]:
        """The files of an engine that is graphs; several share their weights."""
        if len(folders) == 1:
            return {name: PartFiles(folder) for name, folder in folders.items()}
        shared = exported.shared(folders)
        return {name: PartFiles(shared / name, shared=shared / WEIGHTS_FOLDER) for name in folders}

    def _refuse_oversize(self, engine: EngineFiles) -> None:
        """An engine needs at least the memory of its own bytes."""
        target = self._job.target
        size = engine.size_bytes()
        if not target.memory_bytes or size <= target.memory_bytes:
            return
        reason = f"It has {size / 1e6:,.0f} MB; {target.name} has {target.memory_bytes / 1e6:,.0f} MB of memory."
        if engine.draft.name == self._job.engine_name(target.baseline):
            raise InputError(f"The float baseline '{engine.draft.name}' does not fit the target. {reason}")
        raise CandidateError(reason)


def _refuse_without_gpu(job: Job, candidate: Candidate) -> None:
    """Where there is no GPU, no graph is made for one."""
    mode = job.modes[candidate.name]
    if mode.runs == "emulated" or not needs_gpu(candidate.provider):
        return
    reason = mode.note if mode.runs == "none" else provider(candidate.provider).unavailable()
    if reason:
        raise CandidateError(reason)
