"""The main job: from a source to a package for a target, with its evidence.

    from edgewright_compiler import BuildOptions, build

    built = build("checkpoints/intents", BuildOptions(output="intents.ortpackage", calibration="train.csv",
                                                      evaluation="validation.csv", max_drop=0.01))
    built.result.chosen, built.result.reason

The way of the data, each stage cached by content: export -> check -> quantize -> measure -> choose -> assemble.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_benchmarks.measuring.meter import MeterSettings
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.engine_maker import EngineMaker, MadeEngines, exactly_here, here
from edgewright_compiler.building.job import RUN_TOOLS, BuildOptions, Job, read_jobs
from edgewright_compiler.building.manifests import package_manifest
from edgewright_compiler.building.output_folder import OutputFolder, TargetEngines
from edgewright_compiler.building.stage import DataKey, Stage, Stages
from edgewright_compiler.cache import StageCache, digest_of
from edgewright_compiler.graphs.exported import tree_digest
from edgewright_compiler.reach.ways import Way
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.package import Package
from edgewright_targets import HostFacts, Target, host_facts
from edgewright_targets.findings import Findings

if TYPE_CHECKING:
    from edgewright_benchmarks.result import Result


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
    findings = Findings()
    with findings.noted():
        output = OutputFolder(Path(options.output), archive=options.archive)
    with findings.noted():
        checked = read_jobs(source, options)
    findings.raise_any()
    for note in checked[0].source.notes:
        progress.note(note)
    for few in dict.fromkeys(job.too_few() for job in checked):
        if few:
            progress.note(few)
    jobs = tuple(job.placed(progress) for job in checked)
    key = digest_of({"targets": [job.key() for job in jobs]})
    unchanged = output.holds(key, cache)
    if unchanged:
        package = Package.open(output.path)
        results = tuple(result_from_json(package.evidence(t), f"{output.path}: {t}") for t in package.targets)
        progress.note(f"{output.path} is up to date.")
    else:
        with output.reserved(f"Nothing was changed at '{output.path}'."):
            made = [_Build(job, cache, progress).run() for job in jobs]
            output.fill(key, package_manifest(jobs, made), made, cache, golden_samples=options.golden_samples)
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
    maker = EngineMaker(job, Stages(cache, progress))
    made = maker.make()
    maker.draft(destination, made.folder, made.exported, made.engines)
    return tuple(engine.spec.name for engine in made.engines)


@dataclass(frozen=True, kw_only=True)
class _MeasureKey:
    exported: str
    engines: dict[str, EngineSpec]
    files: dict[str, str]
    ways: dict[str, Way]
    data: DataKey
    golden: DataKey | None
    meter: MeterSettings
    # Of engines that are timed the machine, of the others the target.
    machine: HostFacts | None
    target: Target | None
    # Where answers of this machine are kept beside an emulator's, they depend on both.
    emulators: dict[str, dict[str, str]] | None
    features: tuple[str, ...] | None
    tools: dict[str, str]


class _Build:
    """What a build does for one target."""

    def __init__(self, job: Job, cache: StageCache, progress: Progress) -> None:
        self.job = job
        self.progress = progress
        self.stages = Stages(cache, progress)
        self.maker = EngineMaker(job, self.stages)

    def run(self) -> TargetEngines:
        """All stages for the target of the job."""
        from edgewright_compiler.building.build_evidence import judge_measured

        made = self.maker.make()
        measured = self._measure(made)
        judged = judge_measured(self.job, made, measured)
        self.progress.note(judged.reason)
        return TargetEngines(self.job.target.name, made.folder, made.engines, measured, judged)

    def _measure(self, made: MadeEngines) -> Path:
        from edgewright_compiler.building.measure import Drafts, measure
        from edgewright_compiler.emulators import emulated_by_provider

        job = self.job
        ways = job.engine_ways
        answering = [engine for engine in made.engines if ways[engine.spec.name].answers != "none"]
        names = [engine.spec.name for engine in answering]
        emulated = [e for e in answering if ways[e.spec.name].answers == "emulated"]
        # Of an accelerator's engine there is nothing that this machine's processor could run.
        native = [exactly_here(engine) for engine in emulated if not emulated_by_provider(engine.spec.provider)]
        doing, done = "Measuring", "Measured"
        if job.rung != "measured":
            doing, done = "Emulating", "Emulated" if emulated else "Answered here, as the reference"

        def make(place: Path) -> None:
            count = len(names) if job.rung == "measured" else len(emulated)
            if count:
                self.progress.note(f"{doing} {count} engines on {len(job.measured.samples):,} samples ...")
            with self.stages.scratch() as scratch:
                # A reference answers on this machine, which refuses engines of another architecture, as it should.
                drafted = [here(e) if ways[e.spec.name].answers == "reference" else e for e in answering]
                self.maker.draft(scratch / "package", made.folder, made.exported, drafted)
                if native:
                    self.maker.draft(scratch / "native", made.folder, made.exported, native)
                natives = [engine.spec.name for engine in native]
                drafts = Drafts(scratch / "package", names, scratch / "native", natives)
                measure(place, drafts, job, self._meter(), self.progress)

        key = _MeasureKey(
            exported=tree_digest(made.folder),
            engines={engine.spec.name: engine.spec for engine in answering},
            files={engine.spec.name: engine.digest() for engine in answering},
            ways={name: ways[name] for name in names},
            data=DataKey.of(job.measured),
            golden=DataKey.of(job.golden) if job.golden else None,
            meter=self._meter(),
            machine=host_facts() if job.rung == "measured" else None,
            target=job.target if job.rung != "measured" else None,
            emulators=job.emulator_facts() if native else None,
            features=host_facts().features if native else None,
            tools=installed_versions(RUN_TOOLS),
        )
        return self.stages.run(Stage("measure", key, done), make)

    def _meter(self) -> MeterSettings:
        return dataclasses.replace(self.job.options.meter, threads=self.job.threads)
