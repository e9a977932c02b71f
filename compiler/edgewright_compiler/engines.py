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
from edgewright_compiler.cache import StageCache, tool_versions
from edgewright_compiler.component import Component, read_component
from edgewright_compiler.job import RUN_TOOLS, Job, stage_parts
from edgewright_compiler.manifests import make_manifest
from edgewright_runtime.manifest import EngineSpec
from edgewright_targets import Candidate
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
                engines.append(self._made(candidate, exported))
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
        graph, notes = exported, []
        if compiler(candidate.engine).STATIC_SHAPES:
            graph, said = exported.fixed()
            notes.append(said)
            # Texts are padded to the one length there is.
            spec = dataclasses.replace(spec, pad_to_multiple_of=graph.text_length() or spec.pad_to_multiple_of)
        folder, facts = compiled(
            self, graph.quantized(candidate.recipe, candidate.precision), graph.shapes(), candidate
        )
        return EngineFiles(spec, folder, facts, (*notes, *facts.notes))

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
            "tools": tool_versions(source.tools),
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
            "tools": tool_versions((*self.job.source.tools, *RUN_TOOLS)),
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
                feeds = [model.feeds(sample, whole=True) for sample in self.job.inputs.spread(CALIBRATION_SAMPLES)]
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
            session_options={"intra_op_num_threads": str(self.job.threads), **candidate.session_options},
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
