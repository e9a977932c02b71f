"""What a build was asked for, read and checked before the first work: the source, the data and the targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from edgewright_benchmarks.data import MOST_ROWS, Dataset, check_there, read_dataset
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.confidence import LEAST_CONFIDENCE, MOST_CONFIDENCE
from edgewright_benchmarks.tasks import OwnFunctions
from edgewright_compiler.building.build_options import BuildOptions
from edgewright_compiler.building.data_apart import set_apart
from edgewright_compiler.building.job import GOLDEN_SAMPLES, Job
from edgewright_compiler.building.settings_of_speed import without_settings
from edgewright_compiler.reach.execution_modes import execution_modes, planned
from edgewright_compiler.sources import CheckingSource, Source, SourceOptions, is_code, open_source
from edgewright_compiler.sources.labels_file import read_labels
from edgewright_compiler.tasks import TASKS
from edgewright_runtime.options import SESSION_OPTIONS, check_options
from edgewright_runtime.providers import provider
from edgewright_targets import (
    Candidate,
    InputError,
    Target,
    host_facts,
    load_target,
)
from edgewright_targets.errors import first_few
from edgewright_targets.findings import Findings


def read_jobs(spec: str, options: BuildOptions, progress: Progress | None = None) -> tuple[Job, ...]:
    """Read and check everything that `spec` and `options` name; gives a job for each target.

    All that is wrong is said at once, as far as one thing can be told without the other. `progress` is told how far a
    download is.

    Raises:
        InputError: Something is wrong or missing, or a target cannot be reached from this machine.
    """
    findings = Findings()
    with findings.noted():
        if not 0 <= options.max_drop < 1:
            raise InputError(
                f"The budget --max-drop is {options.max_drop}; expected a share from 0 up to 1, such as 1% or 0.01."
            )
    with findings.noted():
        if not LEAST_CONFIDENCE < options.confidence <= MOST_CONFIDENCE:
            raise InputError(
                f"The confidence --confidence is {options.confidence}; expected a share above {LEAST_CONFIDENCE} and "
                f"at most {MOST_CONFIDENCE}, such as 95% or 0.95."
            )
    targets = _read_targets(options.targets, findings)
    source = _read_source(spec, options, findings, progress)
    calibration = evaluation = golden = None
    with findings.noted():
        _check_golden(options, targets)
    if source is not None:
        with findings.noted():
            options.own.check(source.task)
            # What the samples are depends on these functions.
            golden, calibration, evaluation = _read_all(source, options, findings)
    findings.raise_any()
    assert source is not None, "what could not be opened was found"
    features = host_facts().features
    targets = tuple(target.for_task(source.task).for_processor(features) for target in targets)
    targets = tuple(target.for_quantized() if source.quantized else target.for_float() for target in targets)
    listed = targets
    if options.search is None:
        targets = tuple(target.for_plain_build() for target in targets)
    labelled = evaluation is not None
    calibration, evaluation, note = set_apart(calibration, evaluation, search=options.search is not None)
    samples = evaluation or calibration
    if samples is None:
        example = tuple(source.example())
        if not example:
            raise InputError(
                "There is no data to measure on.",
                hint="Pass labelled data with --evaluation (and --calibration), or inputs alone with --calibration.",
            )
        samples = Dataset(name="example inputs", digest=source.digest(), samples=example, labels=None)
        calibration = samples
    if options.meter.samples is not None:
        samples = samples.part(options.meter.samples)
    if not labelled:
        # Ranges were fitted to these samples: their labels must not decide as well.
        samples = dataclasses.replace(samples, labels=None)
    options.own.check_labelled(samples.labels, f"the evaluation data ({samples.name})" if labelled else "no data")
    digest = source.digest()
    jobs = tuple(
        _job(source, digest, target, options, calibration, samples, every.candidates)
        for target, every in zip(targets, listed, strict=True)
    )
    _check_beside(options, jobs)
    given = golden.part(GOLDEN_SAMPLES) if golden is not None else None
    return tuple(dataclasses.replace(job, golden=given, split=note) for job in jobs)


def _read_all(
    source: Source, options: BuildOptions, findings: Findings
) -> tuple[Dataset | None, Dataset | None, Dataset | None]:
    """The golden samples, calibration data and evaluation data; None for what is not given, or is found to be wrong."""
    golden = calibration = evaluation = None
    with findings.noted():
        golden = _read_data(options.golden, source, options.own, GOLDEN_SAMPLES)
    with findings.noted():
        # Ranges take a few of them: of more than are kept in memory, so many are drawn.
        calibration = _read_data(options.calibration, source, options.own, MOST_ROWS)
    with findings.noted():
        evaluation = _read_data(options.evaluation, source, options.own, options.meter.samples)
    return golden, calibration, evaluation


def _check_beside(options: BuildOptions, jobs: Sequence[Job]) -> None:
    """Refuse busy programs beside engines that are not timed."""
    if options.meter.beside and all(job.rung != "measured" for job in jobs):
        raise InputError(
            "--beside times engines beside busy programs, but no engine of these targets is timed on this machine.",
            hint="Run 'edgewright bench --beside' or 'edgewright finish --beside' on the device.",
        )


def _check_golden(options: BuildOptions, targets: Sequence[Target]) -> None:
    """Refuse options of golden samples that do not go together."""
    if options.golden_samples:
        return
    if options.golden is not None:
        raise InputError("--golden and --no-golden-samples cannot be combined.")
    waiting = [
        f"{target.name}-{candidate.name}"
        for target in targets
        for candidate in target.candidates
        if candidate.kind.ahead_of_time and planned(target)[candidate.name].runs == "none"
    ]
    if waiting:
        raise InputError(
            f"Without golden samples 'edgewright finish' cannot compare {first_few(waiting)} on the device.",
            hint="Pass samples that you may publish with --golden FILE.",
        )


def _read_targets(names: Sequence[str], findings: Findings) -> tuple[Target, ...]:
    targets = []
    tasks = [task.name for task in TASKS]
    for name in names:
        with findings.noted():
            targets.append(load_target(name, tasks))
    found = [target.name for target in targets]
    with findings.noted():
        if not names or len(set(found)) != len(found):
            raise InputError(f"The targets must all be different; found {', '.join(found) or 'none'}.")
    for target in targets:
        for candidate in target.candidates:
            # Unknown providers and wrong options are found before the first work, and not when their turn comes.
            with findings.noted():
                place, module = f"{target.name}: candidate '{candidate.name}'", provider(candidate.provider)
                check_options(candidate.session_options, SESSION_OPTIONS, place, "session")
                options = module.options(candidate.provider_options, 1)
                check_options(options, module.ALLOWED, place, candidate.provider)
        # So is a target that cannot be reached from here.
        with findings.noted():
            execution_modes(target)
    return tuple(targets)


def _read_source(spec: str, options: BuildOptions, findings: Findings, progress: Progress | None) -> Source | None:
    """The source, or None where it is found to be wrong; what files alone tell is looked at before."""
    for path in (options.calibration, options.evaluation, options.golden):
        with findings.noted():
            check_there(path)
    with findings.noted():
        labels = options.labels
        names = read_labels(labels) if isinstance(labels, (str, Path)) else labels
        if is_code(spec) or options.fetch:
            # It is imported, and torch with it, which takes seconds; or downloaded, which takes minutes.
            findings.raise_any()
        return open_source(spec, SourceOptions(options.task, names, options.fetch), findings, progress)
    return None


def _job(
    source: Source,
    digest: str,
    target: Target,
    options: BuildOptions,
    calibration: Dataset | None,
    evaluation: Dataset,
    listed: tuple[Candidate, ...],
) -> Job:
    if target.matches_machine():
        threads = options.meter.threads or host_facts().cores
    else:
        # The golden samples are the first ones, the same for every target of a package.
        evaluation = evaluation.part(options.emulated_samples, first=min(GOLDEN_SAMPLES, options.emulated_samples))
        threads = options.meter.threads or target.cores or 1
    known, fixed = threads if target.matches_machine() else target.cores, bool(options.meter.threads)
    every = dataclasses.replace(target, candidates=listed).for_threads(known, fixed=fixed)
    target = target.for_threads(known, fixed=fixed)
    if not target.matches_machine():
        # Where nothing is timed, another number of threads is the same engine once more: the device decides.
        kept = without_settings(target.candidates, target.baseline)
        target = dataclasses.replace(target, candidates=kept)
    return Job(
        source=source,
        source_digest=digest,
        target=target,
        options=options,
        calibration=calibration,
        evaluation=evaluation,
        threads=threads,
        modes=execution_modes(target),
        listed=() if target.matches_machine() else every.candidates,
    )


def _read_data(path: str | Path | None, source: Source, own: OwnFunctions, most: int | None = None) -> Dataset | None:
    if path is None:
        return None
    found = read_dataset(
        path,
        task=source.task,
        input_name=source.input_name,
        class_names=source.labels,
        most=most,
        arrays=source.arrays(),
        windows=source.windows,
        own=own,
    )
    if isinstance(source, CheckingSource):
        source.check_samples(found.samples, f"'{path}'")
    return found
