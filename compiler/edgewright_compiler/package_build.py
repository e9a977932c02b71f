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
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.building.build_options import BuildOptions
from edgewright_compiler.building.device_settings import with_device_settings
from edgewright_compiler.building.engine_maker import EngineMaker
from edgewright_compiler.building.job import Job
from edgewright_compiler.building.judged_target import JudgedTarget, judge_target
from edgewright_compiler.building.measured_engines import measured_engines
from edgewright_compiler.building.output_folder import OutputFolder
from edgewright_compiler.building.package_contents import package_contents
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.stage import Stages
from edgewright_compiler.building.target_readings import read_target_readings
from edgewright_compiler.cache import StageCache, digest_of
from edgewright_compiler.search.search_target import search_target
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
        >>> from edgewright_benchmarks.measuring.meter_settings import MeterSettings
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
        source: Checkpoint folder or its id on the hub, `.onnx` or `.toml` file, or `package.module:function`.
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
        checked = read_jobs(source, options, progress)
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
            made = _judged(jobs, cache, progress)
            if any(entry.result.search and entry.result.search.ended == "interrupted" for entry in made):
                # The same command goes on where it was ended.
                key = digest_of({"interrupted": key})
            # 5. What ships is written aside, and gets its name when it is whole.
            output.fill(key, package_contents(jobs, made, golden_samples=options.golden_samples), cache)
        results = tuple(entry.result for entry in made)
    # 6. The package as one file, where it was asked for.
    archive = None
    if options.archive:
        with output.reserved(f"The package '{output.path}' is complete, but its archive was not written."):
            archive = output.write_archive()
    return Built(output.path, results, archive, unchanged)


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


def _judged(jobs: Sequence[Job], cache: StageCache, progress: Progress) -> list[JudgedTarget]:
    """All stages for the target of each job, and what follows from the readings; see `judge_target`."""
    made: list[JudgedTarget] = []
    left, ended = jobs[0].options.search, False
    for number, job in enumerate(jobs):
        stages, golden = Stages(cache, progress), made[0].golden if made else None
        if left is None:
            engines = EngineMaker(job, stages).make()
            measured = [read_target_readings(measured_engines(stages, job, engines))]
            judged = judge_target(job, engines, measured, golden)
            made.append(with_device_settings(job, stages, judged))
        else:
            share = left.share(len(jobs) - number)
            found = search_target(job, stages, share, ended=ended)
            left = left.without(seconds=found.seconds, engines=found.engines)
            ended = found.trace.ended == "interrupted"
            judged = judge_target(found.job, found.made, found.measured, golden, found.unproven, found.trace)
            made.append(with_device_settings(found.job, stages, judged))
        progress.note(made[-1].result.reason)
    return made
