"""The main job: from a source to a package for a target, with its evidence.

    from edgewright_compiler.build import BuildOptions, build

    built = build("checkpoints/intents", BuildOptions(output="intents.ortpackage", calibration="train.csv",
                                                      evaluation="validation.csv", max_drop=0.01))
    built.result.chosen, built.result.reason

The way of the data, each stage cached by content: export -> check -> quantize -> measure -> choose -> assemble.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.meter import MeterSettings
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_compiler.cache import StageCache, digest_of, tool_versions
from edgewright_compiler.component import Component, read_component, tree_digest
from edgewright_compiler.job import RUN_TOOLS, BuildOptions, Job, read_jobs, stage_parts
from edgewright_compiler.output import OutputFolder, TargetEngines
from edgewright_runtime.manifest import EngineSpec, Manifest, SourceFacts
from edgewright_runtime.package import Package
from edgewright_targets import Candidate, Recipe, __version__, host_facts
from edgewright_targets.host import architecture
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_benchmarks.result import Result
    from edgewright_compiler.assemble import EngineFiles

# Real inputs that the export is compared with its source on.
_CHECKED_SAMPLES = 16
_FAILURE = "failure.txt"


@dataclass(frozen=True)
class Built:
    """What a build gives: the package, the evidence of each target, the archive, and whether nothing was to do."""

    package: Path
    results: tuple[Result, ...]
    archive: Path | None
    unchanged: bool

    @property
    def result(self) -> Result:
        """The evidence of the first target."""
        return self.results[0]


def build(
    source: str, options: BuildOptions, *, cache: StageCache | None = None, progress: Progress | None = None
) -> Built:
    """Build a package; see `BuildOptions`.

    Args:
        source: Checkpoint folder, `.onnx` file, or `package.module:function`.
        options: What to build and how.
        cache: Where stages are kept; by default in the XDG cache folder.
        progress: Told how far it is.

    Raises:
        InputError: The source, the data or an option is wrong; nothing was written.
        CheckFailedError: The export does not answer as its source does.
    """
    from edgewright_benchmarks.result import result_from_json

    cache = cache or StageCache()
    progress = progress or Quiet()
    output = OutputFolder(Path(options.output), archive=options.archive)
    jobs = read_jobs(source, options)
    key = digest_of({"targets": [job.key() for job in jobs]})
    unchanged = output.holds(key, cache)
    if unchanged:
        package = Package.open(output.path)
        results = tuple(result_from_json(package.evidence(t), f"{output.path}: {t}") for t in package.targets)
        progress.note(f"{output.path} is up to date.")
    else:
        with output.reserved(f"Nothing was changed at '{output.path}'."):
            made = [_Build(job, cache, progress).run() for job in jobs]
            output.fill(key, package_manifest(jobs, made), made, cache)
        results = tuple(entry.result for entry in made)
    archive = None
    if options.archive:
        with output.reserved(f"The package '{output.path}' is whole; its archive was not written."):
            archive = output.write_archive()
    return Built(output.path, results, archive, unchanged)


def draft_package(job: Job, destination: Path, cache: StageCache, progress: Progress) -> tuple[str, ...]:
    """Write a package of every candidate that can be made, none of them measured; gives their names.

    This is what a build measures; by itself it serves to run candidates elsewhere, such as in an emulator.
    """
    stages = _Build(job, cache, progress)
    made = stages.candidates()
    stages.draft(destination, made, made.engines)
    return tuple(engine.spec.name for engine in made.engines)


@dataclass(frozen=True)
class _Candidates:
    """What could be made: the float component, an engine for each candidate, and why other recipes failed."""

    folder: Path
    component: Component
    engines: tuple[EngineFiles, ...]
    failures: dict[Recipe, str]


class _Build:
    """The stages of one build."""

    def __init__(self, job: Job, cache: StageCache, progress: Progress) -> None:
        self.job = job
        self.cache = cache
        self.progress = progress

    def run(self) -> TargetEngines:
        """All stages for the target of the job."""
        from edgewright_compiler.choose import judge_measured

        made = self.candidates()
        measured = self._measure(made)
        judged = judge_measured(self.job, made.component, made.engines, measured, made.failures)
        self.progress.note(judged.reason)
        return TargetEngines(self.job.target.name, made.folder, made.engines, measured, judged)

    def candidates(self) -> _Candidates:
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
        return _Candidates(folder, component, engines, failures)

    def draft(self, place: Path, made: _Candidates, engines: Sequence[EngineFiles]) -> None:
        """A package of `engines`, without evidence."""
        self._draft(place, made.folder, made.component, engines)

    def _stage(self, name: str, title: str, parts: dict[str, Any], make: Callable[[Path], None]) -> Path:
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
        return self._stage("export", f"Exported {source.name} to ONNX", parts, source.export)

    def _check(self, folder: Path, component: Component, digest: str) -> None:
        from edgewright_compiler.check import compare_with_source
        from edgewright_compiler.quantize import CALIBRATION_SAMPLES

        data = self.job.inputs
        samples = data.spread(CALIBRATION_SAMPLES)[:_CHECKED_SAMPLES]

        def make(place: Path) -> None:
            with self.cache.scratch() as scratch:
                self._draft(scratch / "package", folder, component, [self._float_here(folder)])
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
        self._stage("check", title, parts, make)

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
            made = self._stage("quantize", f"Quantized to {self._precision(recipe)}", parts, make)
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
            self._draft(scratch / "package", folder, component, [baseline])
            with load(scratch / "package", engine=baseline.spec.name) as model:
                feeds = [model.feeds(sample) for sample in self.job.inputs.spread(CALIBRATION_SAMPLES)]
        refuse_nan(feeds)
        return feeds

    def _measure(self, made: _Candidates) -> Path:
        from edgewright_compiler.measure import measure

        job = self.job
        names = [engine.spec.name for engine in made.engines]
        baseline = job.engine_name(job.target.baseline)

        def make(place: Path) -> None:
            self.progress.note(f"Measuring {len(names)} engines on {len(job.measured.samples):,} samples ...")
            with self.cache.scratch() as scratch:
                self.draft(scratch / "package", made, made.engines)
                measure(place, scratch / "package", names, baseline, job, self._meter(), self.progress)

        parts = {
            "component": tree_digest(made.folder),
            "engines": {e.spec.name: [write_record(e.spec), tree_digest(e.folder)] for e in made.engines},
            "data": [job.measured.digest, len(job.measured.samples)],
            "meter": write_record(self._meter()),
            "machine": write_record(host_facts()) if job.rung == "measured" else write_record(job.target),
            "tools": tool_versions(RUN_TOOLS),
        }
        return self._stage("measure", "Measured", parts, make)

    def _meter(self) -> MeterSettings:
        return dataclasses.replace(self.job.options.meter, threads=self.job.threads)

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

    def _draft(self, place: Path, folder: Path, component: Component, engines: Sequence[EngineFiles]) -> None:
        from edgewright_compiler.assemble import assemble

        place.mkdir()
        names = tuple(engine.spec.name for engine in engines)
        assemble(place, make_manifest([self.job], component, names), folder, engines)


def package_manifest(jobs: Sequence[Job], made: Sequence[TargetEngines]) -> Manifest:
    """The manifest of the final package: for each target what ships, in the order of the targets."""
    from edgewright_compiler.choose import package_engines

    order = [name for job, entry in zip(jobs, made, strict=True) for name in package_engines(job.target, entry.result)]
    return make_manifest(jobs, read_component(made[0].component), tuple(order))


def make_manifest(jobs: Sequence[Job], component: Component, order: tuple[str, ...]) -> Manifest:
    """What a package of these jobs says about itself."""
    job = jobs[0]
    return Manifest(
        name=job.source.name,
        task=component.task,
        measure="agreement" if job.measured.labels is None else "accuracy",
        pipeline=component.pipeline,
        labels=component.labels,
        order=order,
        baselines={job.target.name: job.engine_name(job.target.baseline) for job in jobs},
        source=SourceFacts(job.source.kind, job.source.name, job.source_digest),
        tools={"edgewright": __version__, **tool_versions((*job.source.tools, *RUN_TOOLS))},
        unreproducible=(),
    )
