"""The main job: from a source to a package for a target, with its evidence.

    from edgewright_compiler import BuildOptions, build

    built = build("checkpoints/intents", BuildOptions(output="intents.ortpackage", calibration="train.csv",
                                                      evaluation="validation.csv", max_drop=0.01))
    built.result.chosen, built.result.reason

The way of the data: export -> check -> quantize -> measure, each a stage that the cache keeps, then choose -> assemble.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.result import Result, result_from_json
from edgewright_compiler.building.draft_package import write_draft
from edgewright_compiler.building.engine_maker import EngineMaker
from edgewright_compiler.building.job import BuildOptions, Job
from edgewright_compiler.building.judged_target import JudgedTarget, judge_target
from edgewright_compiler.building.measured_engines import measured_engines
from edgewright_compiler.building.output_folder import OutputFolder
from edgewright_compiler.building.package_contents import package_contents
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.stage import Stages
from edgewright_compiler.cache import StageCache, digest_of
from edgewright_runtime.package import Package
from edgewright_targets.findings import Findings


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

        >>> from edgewright_compiler import BuildOptions, build
        >>> from edgewright_benchmarks.measuring.meter import MeterSettings
        >>> options = BuildOptions(
        ...     output="digits.ortpackage",
        ...     targets=("tiny.toml",),
        ...     calibration="inputs.npz",
        ...     meter=MeterSettings(rounds=2, calls=4, loads=1),
        ... )
        >>> built = build("perceptron.onnx", options)
        >>> built.package.name
        'digits.ortpackage'
        >>> [engine.status for engine in built.result.engines if engine.name == built.result.baseline]
        ['baseline']

    Args:
        source: Checkpoint folder, `.onnx` file, or `package.module:function`.
        options: What to build and how.
        cache: Where stages are kept; by default in the XDG cache folder.
        progress: Told how far it is.

    Raises:
        InputError: The source, the data or an option is wrong; nothing was written.
        CheckFailedError: The outputs of the export differ from those of its source.
    """
    cache = cache or StageCache()
    progress = progress or Quiet()
    # 1. Everything that can be wrong with what was asked is said at once, before any work.
    findings = Findings()
    with findings.noted():
        output = OutputFolder(Path(options.output), archive=options.archive)
    with findings.noted():
        checked = read_jobs(source, options)
    findings.raise_any()
    _note_before(checked, progress)
    # 2. Emulators are made ready: what they answer is decided by their versions too.
    jobs = tuple(job.placed(progress) for job in checked)
    # 3. A package of the same build that is there already is left as it is.
    key = digest_of({"targets": [job.key() for job in jobs]})
    unchanged = output.holds(key, cache)
    if unchanged:
        results = _results(output.path)
        progress.note(f"{output.path} is up to date.")
    else:
        with output.reserved(f"Nothing was changed at '{output.path}'."):
            # 4. The engines of each target are made, measured and judged. All ship with the first target's samples.
            made: list[JudgedTarget] = []
            for job in jobs:
                made.append(_judged(job, Stages(cache, progress), made[0].golden if made else None))
            # 5. What ships is written aside, and gets its name when it is whole.
            output.fill(key, package_contents(jobs, made, golden_samples=options.golden_samples), cache)
        results = tuple(entry.result for entry in made)
    # 6. The package as one file, where it was asked for.
    archive = None
    if options.archive:
        with output.reserved(f"The package '{output.path}' is complete, but its archive was not written."):
            archive = output.write_archive()
    return Built(output.path, results, archive, unchanged)


def draft_package(job: Job, destination: Path, cache: StageCache, progress: Progress) -> tuple[str, ...]:
    """Write a package of every candidate that can be made, none of them measured; gives their names.

    This is what a build measures; by itself it serves to run candidates elsewhere, such as in an emulator.
    """
    made = EngineMaker(job, Stages(cache, progress)).make()
    write_draft(destination, job, made.exported, made.engines)
    return tuple(engine.draft.name for engine in made.engines)


def _note_before(jobs: Sequence[Job], progress: Progress) -> None:
    """Tell what is known about the source and the data before any work."""
    few = dict.fromkeys(job.too_few() for job in jobs)
    for note in (*jobs[0].source.notes, *few):
        if note:
            progress.note(note)


def _results(path: Path) -> tuple[Result, ...]:
    """The evidence of a package, by target."""
    package = Package.open(path)
    return tuple(result_from_json(package.evidence(target), f"{path}: {target}") for target in package.targets)


def _judged(job: Job, stages: Stages, golden: Path | None) -> JudgedTarget:
    """All stages for the target of a job, and what follows from the readings; see `judge_target`."""
    made = EngineMaker(job, stages).make()
    judged = judge_target(job, made, measured_engines(stages, job, made), golden)
    stages.progress.note(judged.result.reason)
    return judged
