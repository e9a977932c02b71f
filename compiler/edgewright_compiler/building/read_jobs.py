"""What a build was asked for, read and checked before the first work: the source, the data and the targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from edgewright_benchmarks.data import MOST_ROWS, Dataset, check_there, read_dataset
from edgewright_compiler.building.job import GOLDEN_SAMPLES, BuildOptions, Job
from edgewright_compiler.reach.execution_modes import execution_modes, planned
from edgewright_compiler.sources import Source, SourceOptions, is_code, open_source
from edgewright_compiler.sources.labels_file import read_labels
from edgewright_compiler.tasks import TASKS
from edgewright_runtime.options import SESSION_OPTIONS, check_options
from edgewright_runtime.providers import provider
from edgewright_targets import (
    InputError,
    Target,
    host_facts,
    load_target,
)
from edgewright_targets.errors import first_few
from edgewright_targets.findings import Findings


def read_jobs(spec: str, options: BuildOptions) -> tuple[Job, ...]:
    """Read and check everything that `spec` and `options` name; gives a job for each target.

    All that is wrong is said at once, as far as one thing can be told without the other.

    Raises:
        InputError: Something is wrong or missing, or a target cannot be reached from this machine.
    """
    findings = Findings()
    with findings.noted():
        if not 0 <= options.max_drop < 1:
            raise InputError(
                f"The budget --max-drop is {options.max_drop}; expected a share from 0 up to 1, such as 1% or 0.01."
            )
    targets = _read_targets(options.targets, findings)
    source = _read_source(spec, options, findings)
    calibration = evaluation = golden = None
    with findings.noted():
        _check_golden(options, targets)
    if source is not None:
        with findings.noted():
            golden = _read_data(options.golden, source, GOLDEN_SAMPLES)
        with findings.noted():
            # Ranges take a few of them: of more than are kept in memory, so many are drawn.
            calibration = _read_data(options.calibration, source, MOST_ROWS)
        with findings.noted():
            evaluation = _read_data(options.evaluation, source, options.meter.samples)
    findings.raise_any()
    assert source is not None, "what could not be opened was found"
    features = host_facts().features
    targets = tuple(target.for_task(source.task).for_processor(features) for target in targets)
    targets = tuple(target.for_quantized() if source.quantized else target.for_float() for target in targets)
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
    if evaluation is None:
        # Ranges were fitted to these samples: their labels must not decide as well.
        samples = dataclasses.replace(samples, labels=None)
    digest = source.digest()
    jobs = tuple(_job(source, digest, target, options, calibration, samples) for target in targets)
    given = golden.part(GOLDEN_SAMPLES) if golden is not None else None
    return tuple(dataclasses.replace(job, golden=given) for job in jobs)


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


def _read_source(spec: str, options: BuildOptions, findings: Findings) -> Source | None:
    """The source, or None where it is found to be wrong; what files alone tell is looked at before."""
    for path in (options.calibration, options.evaluation, options.golden):
        with findings.noted():
            check_there(path)
    with findings.noted():
        labels = options.labels
        names = read_labels(labels) if isinstance(labels, (str, Path)) else labels
        if is_code(spec):
            # It is imported, and torch with it, which takes seconds.
            findings.raise_any()
        return open_source(spec, SourceOptions(options.task, names), findings)
    return None


def _job(
    source: Source,
    digest: str,
    target: Target,
    options: BuildOptions,
    calibration: Dataset | None,
    evaluation: Dataset,
) -> Job:
    if target.matches_machine():
        threads = options.meter.threads or host_facts().cores
    else:
        # The golden samples are the first ones, the same for every target of a package.
        evaluation = evaluation.part(options.emulated_samples, first=min(GOLDEN_SAMPLES, options.emulated_samples))
        threads = options.meter.threads or target.cores or 1
    return Job(
        source=source,
        source_digest=digest,
        target=target,
        options=options,
        calibration=calibration,
        evaluation=evaluation,
        threads=threads,
        modes=execution_modes(target),
    )


def _read_data(path: str | Path | None, source: Source, most: int | None = None) -> Dataset | None:
    if path is None:
        return None
    return read_dataset(
        path,
        task=source.task,
        input_name=source.input_name,
        class_names=source.labels,
        most=most,
        arrays=source.arrays(),
    )
