"""The main job: from a source to a package for a target, with its evidence.

    from edgewright_compiler import BuildOptions, build

    built = build("checkpoints/intents", BuildOptions(output="intents.ortpackage", calibration="train.csv",
                                                      evaluation="validation.csv", max_drop=0.01))
    built.result.chosen, built.result.reason

The way of the data, each stage cached by content: export -> check -> quantize -> measure -> choose -> assemble.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.result import result_from_json
from edgewright_compiler.building.build_evidence import judge_measured
from edgewright_compiler.building.draft_package import write_draft
from edgewright_compiler.building.engine_maker import EngineMaker
from edgewright_compiler.building.job import BuildOptions, Job, read_jobs
from edgewright_compiler.building.manifests import package_manifest
from edgewright_compiler.building.measured_engines import measured_engines
from edgewright_compiler.building.output_folder import OutputFolder, TargetEngines
from edgewright_compiler.building.stage import Stages
from edgewright_compiler.cache import StageCache, digest_of
from edgewright_runtime.package import Package
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
            made = [_build_target(job, Stages(cache, progress)) for job in jobs]
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
    made = EngineMaker(job, Stages(cache, progress)).make()
    write_draft(destination, job, made.exported, made.engines)
    return tuple(engine.spec.name for engine in made.engines)


def _build_target(job: Job, stages: Stages) -> TargetEngines:
    """All stages for the target of a job."""
    made = EngineMaker(job, stages).make()
    measured = measured_engines(stages, job, made)
    judged = judge_measured(job, made, measured)
    stages.progress.note(judged.reason)
    return TargetEngines(job.target.name, made.exported.path, made.engines, measured, judged)
