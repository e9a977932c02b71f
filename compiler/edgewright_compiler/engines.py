"""The engines of one target: from a source to an engine for each candidate. Each stage is cached by content.

export -> check -> (fix ->) quantize (-> compile)
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.cache import StageCache
from edgewright_compiler.component import Component, read_component
from edgewright_compiler.job import RUN_TOOLS, Job, stage_parts
from edgewright_compiler.manifests import make_manifest
from edgewright_runtime.manifest import PLAN_ENGINES, EngineSpec
from edgewright_targets import Candidate, InputError
from edgewright_targets.host import architecture

if TYPE_CHECKING:
    from edgewright_compiler.assemble import EngineFiles
    from edgewright_compiler.graphs import Graph

# Real inputs that the export is compared with its source on.
_CHECKED_SAMPLES = 16


@dataclass(frozen=True)
class MadeEngines:
    """What could be made: the float component, engines of candidates, and why the others failed, by name."""

    folder: Path
    component: Component
    engines: tuple[EngineFiles, ...]
    failures: dict[str, str]


class EngineMaker:
    """The stages of one target up to its engines."""

    def __init__(self, job: Job, cache: StageCache, progress: Progress) -> None:
        self.job = job
        self.cache = cache
        self.progress = progress

    def make(self) -> MadeEngines:
        """Export, check, and make the engine of each candidate."""
        from edgewright_compiler.graphs import CandidateError, Graph

        folder = self._export()
        component = read_component(folder)
        exported = Graph(self, folder, component)
        self._check(folder, component, exported.digest)
        engines: list[EngineFiles] = []
        failures: dict[str, str] = {}
        for candidate in self.job.target.candidates:
            try:
                made = self._made(candidate, exported)
                self._refuse_oversize(made)
                engines.append(made)
            except CandidateError as error:
                failures[candidate.name] = str(error)
                self.progress.note(f"  {candidate.name} failed: {error}")
        return MadeEngines(folder, component, tuple(engines), failures)

    def _made(self, candidate: Candidate, exported: Graph) -> EngineFiles:
        from edgewright_compiler.assemble import EngineFiles
        from edgewright_compiler.compile import compiler
        from edgewright_compiler.graphs import compiled

        spec = self._spec(candidate)
        if candidate.engine == "onnx":
            return EngineFiles(spec, exported.quantized(candidate.recipe, candidate.precision))
        if candidate.engine in PLAN_ENGINES:
            exported.refuse_loop()
        graph, notes = exported, []
        if compiler(candidate.engine).STATIC_SHAPES:
            graph, said = exported.fixed()
            notes.append(said)
            # Texts are padded to the one length there is.
            spec = dataclasses.replace(spec, pad_to_multiple_of=graph.text_length() or spec.pad_to_multiple_of)
        source = graph.quantized(candidate.recipe, candidate.precision)
        tolerance = None
        if self.job.ways[candidate.name].answers == "none":
            tolerance, said = graph.tolerance(source)
            notes.append(said)
        folder, facts = compiled(self, source, graph.shapes(), candidate, graph.text_limits)
        spec = dataclasses.replace(spec, provider_options={**spec.provider_options, **facts.options})
        return EngineFiles(spec, folder, facts, (*notes, *facts.notes), tolerance)

    def _refuse_oversize(self, engine: EngineFiles) -> None:
        """An engine needs at least the memory of its own bytes."""
        from edgewright_compiler.graphs import CandidateError

        target = self.job.target
        size = sum(path.stat().st_size for path in engine.folder.rglob("*") if path.is_file())
        if not target.memory_bytes or size <= target.memory_bytes:
            return
        said = f"It has {size / 1e6:,.0f} MB; {target.name} has {target.memory_bytes / 1e6:,.0f} MB of memory."
        if engine.spec.name == self.job.engine_name(target.baseline):
            raise InputError(f"The float baseline '{engine.spec.name}' does not fit the target. {said}")
        raise CandidateError(said)

    def stage(self, name: str, title: str, parts: dict[str, Any], make: Callable[[Path], None]) -> Path:
        """The folder of a stage, from the cache or made now; says which of them under `title`."""
        start = time.perf_counter()
        folder, cached = self.cache.get(name, stage_parts(parts), make)
        spent = "from the cache" if cached else f"{time.perf_counter() - start:.1f} s"
        self.progress.note(f"{title}: {spent}")
        return folder

    def _export(self) -> Path:
        source = self.job.source
        parts = {
            "source": [source.kind, self.job.source_digest],
            "tools": installed_versions(source.tools),
        }
        return self.stage("export", f"Exported {source.name} to ONNX", parts, source.export)

    def _check(self, folder: Path, component: Component, digest: str) -> None:
        from edgewright_compiler.check import compare_with_source
        from edgewright_compiler.quantize import CALIBRATION_SAMPLES

        data = self.job.inputs
        samples = data.spread(CALIBRATION_SAMPLES)[:_CHECKED_SAMPLES]

        def make(place: Path) -> None:
            with self.cache.scratch() as scratch:
                self.draft(scratch / "package", folder, component, [self._float_here(folder)])
                worst = compare_with_source(self.job.source, scratch / "package", samples, data.name)
            (place / "check.json").write_text(json.dumps({"difference": worst, "samples": len(samples)}))

        parts = {
            # The source too: another source may export to the same graph and answer differently.
            "source": [self.job.source.kind, self.job.source_digest],
            "component": digest,
            "data": data.digest,
            "samples": len(samples),
            "tools": installed_versions((*self.job.source.tools, *RUN_TOOLS)),
        }
        title = f"Checked the export against its source on {len(samples)} inputs"
        self.stage("check", title, parts, make)

    def feeds(self, folder: Path, component: Component) -> list[Any]:
        """What the graph is given for the calibration samples, by the same steps that the device runs."""
        from edgewright_compiler.check import refuse_nan
        from edgewright_compiler.quantize import CALIBRATION_SAMPLES
        from edgewright_runtime import load

        with self.cache.scratch() as scratch:
            baseline = self._float_here(folder)
            self.draft(scratch / "package", folder, component, [baseline])
            with load(scratch / "package", engine=baseline.spec.name) as model:
                samples = self.job.inputs.spread(CALIBRATION_SAMPLES)
                feeds = [feed for sample in samples if (feed := model.feeds(sample, whole=True))]
        refuse_nan(feeds)
        return feeds

    def _spec(self, candidate: Candidate) -> EngineSpec:
        from edgewright_runtime.providers import provider

        return EngineSpec(
            name=self.job.engine_name(candidate.name),
            target=self.job.target.name,
            architecture=self.job.target.architecture,
            provider=candidate.provider,
            precision=candidate.precision,
            recipe=candidate.recipe,
            pad_to_multiple_of=candidate.pad_to_multiple_of,
            tolerance=0.0,
            model_file="",
            session_options={"intra_op_num_threads": str(self.job.device_threads), **candidate.session_options},
            provider_options=provider(candidate.provider).options(candidate.provider_options, self.job.threads),
            engine=candidate.engine,
        )

    def _float_here(self, folder: Path) -> EngineFiles:
        """The float baseline for this machine, whatever the target: it runs the steps and answers for the export."""
        from edgewright_compiler.assemble import EngineFiles

        return here(EngineFiles(self._spec(self.job.baseline), folder))

    def draft(self, place: Path, folder: Path, component: Component, engines: Sequence[EngineFiles]) -> None:
        """A package of `engines` at `place`, without evidence."""
        from edgewright_compiler.assemble import assemble

        place.mkdir()
        names = tuple(engine.spec.name for engine in engines)
        assemble(place, make_manifest([self.job], component, names), folder, engines)


def here(files: EngineFiles) -> EngineFiles:
    """The same engine as one for this machine."""
    return dataclasses.replace(files, spec=dataclasses.replace(files.spec, architecture=architecture()))
