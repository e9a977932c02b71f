"""The engines of one target: from a source to a graph for each candidate. Each stage is cached by content.

export -> check -> quantize
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
from edgewright_compiler.component import Component, read_component, tree_digest
from edgewright_compiler.job import RUN_TOOLS, Job, stage_parts
from edgewright_compiler.manifests import make_manifest
from edgewright_runtime.manifest import EngineSpec
from edgewright_targets import Candidate, Recipe
from edgewright_targets.host import architecture
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_compiler.assemble import EngineFiles

# Real inputs that the export is compared with its source on.
_CHECKED_SAMPLES = 16
_FAILURE = "failure.txt"


@dataclass(frozen=True)
class MadeEngines:
    """What could be made: the float component, an engine for each candidate, and why other recipes failed."""

    folder: Path
    component: Component
    engines: tuple[EngineFiles, ...]
    failures: dict[Recipe, str]


class EngineMaker:
    """The stages of one target up to its engines."""

    def __init__(self, job: Job, cache: StageCache, progress: Progress) -> None:
        self.job = job
        self.cache = cache
        self.progress = progress

    def make(self) -> MadeEngines:
        """Export, check and quantize."""
        folder = self._export()
        component = read_component(folder)
        digest = tree_digest(folder)
        self._check(folder, component, digest)
        graphs, failures = self._quantize(folder, component, digest)
        engines = tuple(
            self._engine(candidate, graphs[candidate.recipe])
            for candidate in self.job.target.candidates
            if candidate.recipe in graphs
        )
        return MadeEngines(folder, component, engines, failures)

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

    def _quantize(
        self, folder: Path, component: Component, digest: str
    ) -> tuple[dict[Recipe, Path], dict[Recipe, str]]:
        from edgewright_compiler.quantize import QuantizationError, quantize

        graphs: dict[Recipe, Path] = {}
        failures: dict[Recipe, str] = {}
        data = self.job.calibration
        for recipe in dict.fromkeys(candidate.recipe for candidate in self.job.target.candidates):
            if recipe.method == "float":
                graphs[recipe] = folder
                continue

            def make(place: Path, recipe: Recipe = recipe) -> None:
                feeds = self._feeds(folder, component) if recipe.method == "static" and data else []
                try:
                    quantize(folder, recipe, feeds, place)
                except QuantizationError as error:
                    (place / _FAILURE).write_text(str(error), encoding="utf-8")

            parts = {
                "component": digest,
                "recipe": write_record(recipe),
                "data": data.digest if data and recipe.method == "static" else None,
                "tools": tool_versions(("onnxruntime", "onnx", "onnx-ir", "numpy")),
            }
            made = self.stage("quantize", f"Quantized to {self._precision(recipe)}", parts, make)
            if (made / _FAILURE).exists():
                failures[recipe] = (made / _FAILURE).read_text(encoding="utf-8")
                self.progress.note(f"  failed: {failures[recipe]}")
            else:
                graphs[recipe] = made
        return graphs, failures

    def _precision(self, recipe: Recipe) -> str:
        return next(c.precision for c in self.job.target.candidates if c.recipe == recipe)

    def _feeds(self, folder: Path, component: Component) -> list[Any]:
        """What the graph is given for the calibration samples, by the same steps that the device runs."""
        from edgewright_compiler.check import refuse_nan
        from edgewright_compiler.quantize import CALIBRATION_SAMPLES
        from edgewright_runtime import load

        with self.cache.scratch() as scratch:
            baseline = self._float_here(folder)
            self.draft(scratch / "package", folder, component, [baseline])
            with load(scratch / "package", engine=baseline.spec.name) as model:
                feeds = [model.feeds(sample) for sample in self.job.inputs.spread(CALIBRATION_SAMPLES)]
        refuse_nan(feeds)
        return feeds

    def _engine(self, candidate: Candidate, folder: Path) -> EngineFiles:
        from edgewright_compiler.assemble import EngineFiles
        from edgewright_runtime.providers import provider

        spec = EngineSpec(
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
        )
        return EngineFiles(spec, folder)

    def _float_here(self, folder: Path) -> EngineFiles:
        """The float baseline for this machine, whatever the target: it runs the steps and answers for the export."""
        from edgewright_compiler.assemble import EngineFiles

        files = self._engine(self.job.baseline, folder)
        return EngineFiles(dataclasses.replace(files.spec, architecture=architecture()), files.folder)

    def draft(self, place: Path, folder: Path, component: Component, engines: Sequence[EngineFiles]) -> None:
        """A package of `engines` at `place`, without evidence."""
        from edgewright_compiler.assemble import assemble

        place.mkdir()
        names = tuple(engine.spec.name for engine in engines)
        assemble(place, make_manifest([self.job], component, names), folder, engines)
