"""The engines of one target: from a source to an engine for each candidate. Each stage is cached by content.

export -> check -> (fix ->) quantize (-> compile)
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.job import RUN_TOOLS, Job
from edgewright_compiler.building.manifests import make_manifest
from edgewright_compiler.building.optimizations import as_written, optimizer_facts
from edgewright_compiler.building.stage import CandidateError, DataKey, Stage, Stages
from edgewright_compiler.graphs.exported import ExportedModel, read_exported
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.options import AS_WRITTEN, EXACT_PRODUCTS_KEY, OPTIMIZATION_KEY, THREADS_KEY
from edgewright_targets import Candidate, InputError
from edgewright_targets.host import architecture

if TYPE_CHECKING:
    from edgewright_benchmarks.result import OptimizerFacts
    from edgewright_compiler.building.candidate_graphs import Graphs
    from edgewright_compiler.building.engine_files import EngineFiles, PartFiles
    from edgewright_runtime.wire import Arrays

# Real inputs that the export is compared with its source on.
_CHECKED_SAMPLES = 16
_CHECK = "check.json"
# Methods whose graphs multiply bytes.
_OF_PRODUCTS = ("static", "dynamic")


@dataclass(frozen=True, kw_only=True)
class _ExportKey:
    kind: str
    source: str
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _CheckKey:
    # The source too: another source may export to the same graph and answer differently.
    kind: str
    source: str
    exported: str
    data: DataKey
    compared: int
    tools: dict[str, str]


@dataclass(frozen=True)
class MadeEngines:
    """What could be made.

    Attributes:
        folder: Of the exported model.
        exported: Its record.
        engines: Those of the candidates that could be made.
        failures: Why the others could not, by name.
        optimizer: What ONNX Runtime's optimizations change, of a graph that came as a file.
    """

    folder: Path
    exported: ExportedModel
    engines: tuple[EngineFiles, ...]
    failures: dict[str, str]
    optimizer: OptimizerFacts | None = None


class EngineMaker:
    """The stages of one target up to its engines."""

    def __init__(self, job: Job, stages: Stages) -> None:
        self.job = job
        self.stages = stages
        self._as_written = False

    def make(self) -> MadeEngines:
        """Export, check, and make the engine of each candidate."""
        from edgewright_compiler.building.candidate_graphs import Graphs

        folder = self._export()
        exported = read_exported(folder)
        graphs = Graphs(self.stages, self.job, self.feeds, folder, exported)
        self._check(graphs)
        optimizer = optimizer_facts(self, graphs, self._checked()) if self.job.source.graph_itself else None
        if optimizer is not None and optimizer.exceeds:
            self.stages.progress.note(f"  {optimizer.words()}")
            self._as_written = not optimizer.kept
        engines: list[EngineFiles] = []
        failures: dict[str, str] = {}
        for candidate in self.job.target.candidates:
            try:
                made = self._made(self._keeping_float(candidate, exported), graphs)
                self._refuse_oversize(made)
                engines.append(made)
            except CandidateError as error:
                failures[candidate.name] = str(error)
                self.stages.progress.note(f"  {candidate.name} failed: {error}")
        return MadeEngines(folder, exported, tuple(engines), failures, optimizer)

    def _keeping_float(self, candidate: Candidate, exported: ExportedModel) -> Candidate:
        """The candidate with a float recipe for the components that keep float."""
        if candidate.recipe.method == "float" or not exported.float_components:
            return candidate
        kept = dict.fromkeys(exported.float_components, self.job.baseline.recipe)
        return dataclasses.replace(candidate, component_recipes={**candidate.component_recipes, **kept})

    def _made(self, candidate: Candidate, exported: Graphs) -> EngineFiles:
        from edgewright_compiler.building.engine_files import EngineFiles, PartFiles
        from edgewright_compiler.compile import compiler

        spec = self._spec(candidate, exported.components)
        if not candidate.kind.ahead_of_time:
            sources = exported.quantized(candidate)
            counts = exported.low_precision(candidate, sources)
            return EngineFiles(spec, self._plain(exported, sources), low_precision=counts)
        if candidate.kind.plan:
            exported.refuse_plan()
        graphs, notes = exported, []
        if compiler(candidate.engine).STATIC_SHAPES:
            graphs, said = exported.fixed()
            notes.append(said)
            # Texts are padded to the one length there is.
            spec = dataclasses.replace(spec, pad_to_multiple_of=graphs.text_length() or spec.pad_to_multiple_of)
        sources = graphs.quantized(candidate)
        tolerance = None
        if self.job.ways[candidate.name].answers == "none":
            tolerance, said = graphs.tolerance(sources)
            notes.append(said)
        files, parts = {}, {}
        for name, source in sources.items():
            folder, facts = graphs.compiled(name, source, candidate)
            files[name] = PartFiles(folder, facts)
            part = spec.parts[name]
            parts[name] = dataclasses.replace(part, provider_options={**part.provider_options, **facts.options})
            notes += facts.notes if len(sources) == 1 else [f"{name}: {note}" for note in facts.notes]
        counts = graphs.low_precision(candidate, sources)
        spec = dataclasses.replace(spec, parts=parts)
        return EngineFiles(spec, files, tuple(dict.fromkeys(notes)), tolerance, counts)

    def _plain(self, exported: Graphs, folders: dict[str, Path]) -> dict[str, PartFiles]:
        """The files of an engine that is graphs; several share their weights."""
        from edgewright_compiler.building.engine_files import PartFiles
        from edgewright_compiler.graphs.exported import WEIGHTS_FOLDER

        if len(folders) == 1:
            return {name: PartFiles(folder) for name, folder in folders.items()}
        shared = exported.shared(folders)
        return {name: PartFiles(shared / name, shared=shared / WEIGHTS_FOLDER) for name in folders}

    def _refuse_oversize(self, engine: EngineFiles) -> None:
        """An engine needs at least the memory of its own bytes."""
        target = self.job.target
        size = engine.size_bytes()
        if not target.memory_bytes or size <= target.memory_bytes:
            return
        said = f"It has {size / 1e6:,.0f} MB; {target.name} has {target.memory_bytes / 1e6:,.0f} MB of memory."
        if engine.spec.name == self.job.engine_name(target.baseline):
            raise InputError(f"The float baseline '{engine.spec.name}' does not fit the target. {said}")
        raise CandidateError(said)

    def _export(self) -> Path:
        source = self.job.source
        key = _ExportKey(kind=source.kind, source=self.job.source_digest, tools=installed_versions(source.tools))
        return self.stages.run(Stage("export", key, f"Exported {source.name} to ONNX"), source.export)

    def _checked(self) -> Sequence[Any]:
        """Real inputs that answers are compared on before anything is measured."""
        from edgewright_compiler.graphs.quantize import CALIBRATION_SAMPLES

        return self.job.inputs.spread(CALIBRATION_SAMPLES)[:_CHECKED_SAMPLES]

    def _check(self, graphs: Graphs) -> None:
        from edgewright_compiler.building.export_check import compare_with_source

        data, samples = self.job.inputs, self._checked()
        limits = {name: most for part in graphs.components for name, most in graphs.text_limits(part).items()}

        def make(place: Path) -> None:
            with self.stages.scratch() as scratch:
                engine = self.float_here(graphs.folder, graphs.exported)
                if self.job.source.graph_itself:
                    # What optimizations change is another matter; see `edgewright_compiler.building.optimizations`.
                    engine = as_written(engine)
                self.draft(scratch / "package", graphs.folder, graphs.exported, [engine])
                found = compare_with_source(self.job.source, scratch / "package", samples, data.name, limits)
            record = {"difference": found.difference, "samples": len(samples), "notes": found.notes}
            (place / _CHECK).write_text(json.dumps(record), encoding="utf-8")

        key = _CheckKey(
            kind=self.job.source.kind,
            source=self.job.source_digest,
            exported=graphs.digest,
            data=DataKey.of(data),
            compared=len(samples),
            tools=installed_versions((*self.job.source.tools, *RUN_TOOLS)),
        )
        title = f"Checked the export against its source on {len(samples)} inputs"
        path = self.stages.run(Stage("check", key, title), make) / _CHECK
        for note in json.loads(path.read_text(encoding="utf-8"))["notes"]:
            self.stages.progress.note(f"  {note}")

    def feeds(self, folder: Path, exported: ExportedModel) -> dict[str, list[Arrays]]:
        """What each component is given for the calibration samples, by the same steps that the device runs."""
        from edgewright_compiler.building.export_check import refuse_nan
        from edgewright_compiler.graphs.quantize import CALIBRATION_SAMPLES
        from edgewright_runtime import load

        found: dict[str, list[Arrays]] = {name: [] for name in exported.graphs}
        with self.stages.scratch() as scratch:
            baseline = self.float_here(folder, exported)
            self.draft(scratch / "package", folder, exported, [baseline])
            with load(scratch / "package", engine=baseline.spec.name) as model:
                for sample in self.job.inputs.spread(CALIBRATION_SAMPLES):
                    for name, feeds in model.whole_feeds(sample).items():
                        found[name] += feeds
        for feeds in found.values():
            refuse_nan(feeds)
        return found

    def _spec(self, candidate: Candidate, components: Sequence[str]) -> EngineSpec:
        from edgewright_runtime.manifest import EnginePart
        from edgewright_runtime.providers import provider

        session_options = {THREADS_KEY: str(self.job.device_threads), **candidate.session_options}
        # Of float8 the optimizations make other numbers; see `edgewright_compiler.graphs.precision_difference`.
        without = candidate.in_float8() or (self._as_written and candidate.name == self.job.target.baseline)
        if without and candidate.provider == "CPUExecutionProvider":
            session_options[OPTIMIZATION_KEY] = AS_WRITTEN
        part = EnginePart(
            model_file="",
            session_options=session_options,
            provider_options=provider(candidate.provider).options(candidate.provider_options, self.job.threads),
        )

        return EngineSpec(
            name=self.job.engine_name(candidate.name),
            target=self.job.target.name,
            architecture=self.job.target.architecture,
            provider=candidate.provider,
            precision=candidate.precision,
            recipe=candidate.recipe,
            component_recipes={
                name: recipe for name, recipe in candidate.component_recipes.items() if name in components
            },
            pad_to_multiple_of=candidate.pad_to_multiple_of,
            tolerance=0.0,
            parts=dict.fromkeys(components, part),
            engine=candidate.engine,
        )

    def float_here(self, folder: Path, exported: ExportedModel) -> EngineFiles:
        """The float baseline for this machine, whatever the target: it runs the steps and answers for the export."""
        from edgewright_compiler.building.engine_files import EngineFiles, PartFiles

        parts = {name: PartFiles(folder / name) for name in exported.graphs}
        return here(EngineFiles(self._spec(self.job.baseline, tuple(parts)), parts))

    def draft(self, place: Path, folder: Path, exported: ExportedModel, engines: Sequence[EngineFiles]) -> None:
        """A package of `engines` at `place`, without evidence."""
        from edgewright_compiler.building.assemble import assemble

        place.mkdir()
        names = tuple(engine.spec.name for engine in engines)
        assemble(place, make_manifest([self.job], exported, names), folder, engines)


def here(files: EngineFiles) -> EngineFiles:
    """The same engine as one for this machine."""
    return dataclasses.replace(files, spec=dataclasses.replace(files.spec, architecture=architecture()))


def exactly_here(files: EngineFiles) -> EngineFiles:
    """The same engine for this machine, with integer products as all processors but x86-64 without VNNI add them up.

    An emulated engine is compared with it: what saturates here would be taken for a difference there. Where the
    processor has VNNI, or is another than x86-64, the option changes nothing.
    """
    spec = files.spec
    exact = {EXACT_PRODUCTS_KEY: "1"}
    parts = {
        name: dataclasses.replace(part, session_options={**part.session_options, **exact})
        if spec.component_recipes.get(name, spec.recipe).method in _OF_PRODUCTS
        else part
        for name, part in spec.parts.items()
    }
    return here(dataclasses.replace(files, spec=dataclasses.replace(spec, parts=parts)))
