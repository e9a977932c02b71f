"""Bench an application: what it answers for all samples, then its time in rounds, and what each step takes of it.

from edgewright_benchmarks.applications.bench_whole import bench_application

result = bench_application("assistant.ortpackage", "test.csv")
result.latency.p95, result.values[0].accuracy.metrics
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy import Scoring
from edgewright_benchmarks.applications.model_facts import facts_of_models
from edgewright_benchmarks.applications.value_metrics import VALUE_METRICS, told
from edgewright_benchmarks.applications.whole_data import judged_values, read_whole_data
from edgewright_benchmarks.applications.whole_memory import WholeMemory, measure_memory
from edgewright_benchmarks.applications.whole_result import (
    MOST_LISTED,
    Failure,
    StepFigures,
    ValueFigures,
    WholeLatency,
    WholeResult,
    found_here,
    whole_evidence,
)
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.judging.evidence import data_facts, now, tool_versions
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.rounds import calls_that_fit, samples_alike
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.result import Settings
from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_benchmarks.statistics.percentiles import latency_draws
from edgewright_benchmarks.statistics.stability import stability_warnings
from edgewright_runtime.applications.application import Application, ApplicationPackage
from edgewright_runtime.applications.running import FlowRun
from edgewright_runtime.errors import SampleError
from edgewright_runtime.samples import size_of
from edgewright_targets import InputError, host_facts


@dataclass
class Answered:
    """What an application answered for all samples.

    Attributes:
        runs: Of each sample; None where it failed.
        seconds: Of each sample that did not fail, the time of its call.
        failures: Of samples, and of values of lists.
    """

    runs: list[FlowRun | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def values(self, name: str) -> list[object]:
        """A value of all samples; None where it is missing."""
        return [None if run is None else run.values[name] for run in self.runs]


def bench_application(
    path: str | Path,
    data: str | Path,
    *,
    settings: MeterSettings | None = None,
    progress: Progress | None = None,
    confidence: float | None = None,
) -> WholeResult:
    """Measure an application as a whole on labelled data, in this process.

        >>> from edgewright_benchmarks.applications.bench_whole import bench_application
        >>> from edgewright_benchmarks.measuring.meter_settings import MeterSettings
        >>> settings = MeterSettings(rounds=2, calls=4)
        >>> result = bench_application("assistant.ortpackage", "commands.csv", settings=settings)
        >>> result.values[0].value, result.rung
        ('intent', 'measured')

    Args:
        path: Package folder or archive of the application.
        data: See `read_whole_data`.
        settings: How to measure: rounds, calls, threads and samples count here.
        progress: Told how far it is.
        confidence: Of the intervals of latency; None is 95 %.

    Raises:
        InputError: The package or the data cannot be read, or every sample failed.
    """
    settings = settings or MeterSettings()
    package = ApplicationPackage.open(path)
    built = whole_evidence(package)
    samples = read_whole_data(data, package, most=settings.samples)
    with Application(package, threads=settings.threads) as application:
        result = measure_application(application, samples, settings, progress, confidence or CONFIDENCE)
    here = () if built is None else found_here(built, result.data)
    return replace(result, warnings=(*here, *result.warnings))


def measure_application(
    application: Application,
    data: Dataset,
    settings: MeterSettings,
    progress: Progress | None = None,
    confidence: float = CONFIDENCE,
) -> WholeResult:
    """See `bench_application`.

    Args:
        application: It.
        data: As `read_whole_data` gives it.
        settings: How to measure.
        progress: Told how far it is.
        confidence: Of the intervals of latency.
    """
    progress = progress or Quiet()
    with machine_to_itself(progress):
        found = answer_all(application, data.samples, progress)
        rounds, steps = _timed(application, data, found, settings, progress)
        memory, unread = _memory(application, data, settings, progress)
    draws = latency_draws(rounds)
    seconds = [value for one in rounds for value in one]
    latency = WholeLatency(
        rounds=rounds,
        mean=float(np.mean(seconds)),
        **{name: draws.values[name] for name in ("p50", "p90", "p95", "p99", "throughput")},
        intervals=draws.intervals(confidence),
    )
    values = value_figures(application.package, data, found)
    whole = [one for one in found.failures if not one.step]
    figures = _step_figures(application.package, found, steps, sum(seconds))
    return WholeResult(
        name=application.package.name,
        data=data_facts(data),
        machine=host_facts(),
        versions=tool_versions(),
        settings=Settings(
            rounds=len(rounds),
            calls=len(rounds[0]),
            warmup=len(data.samples),
            threads=max((info.threads for info in application.engines.values()), default=1),
            seed=settings.seed,
        ),
        engines={name: info.name for name, info in application.engines.items()},
        latency=latency,
        steps=figures,
        values=values,
        failed=len(whole),
        failed_values=len(found.failures) - len(whole),
        failures=tuple(found.failures[:MOST_LISTED]),
        warnings=(
            *_strangers(application),
            *unread,
            *_over_limit(memory),
            *_of_data(application.package, data, figures),
            *stability_warnings({application.package.name: rounds}, confidence),
        ),
        created=now(),
        confidence=confidence,
        models=facts_of_models(application),
        memory=memory,
    )


def answer_all(application: Application, samples: Sequence[Any], progress: Progress) -> Answered:
    """What an application answers for all samples; one that fails does not end it.

    Raises:
        InputError: Every sample failed; the message has the first reason.
    """
    found = Answered()
    bar = progress.bar("answering", len(samples))
    for number, sample in enumerate(samples, start=1):
        start = time.perf_counter()
        try:
            run: FlowRun | None = application.run(sample)
        except SampleError as error:
            run = None
            found.failures.append(Failure(number, error.message))
        else:
            found.seconds.append(time.perf_counter() - start)
        found.runs.append(run)
        if run is not None:
            found.failures += [Failure(number, reason, step, index) for step, index, reason in run.failures]
        bar.update()
    bar.close()
    if not found.seconds:
        raise InputError(
            f"The application failed on all {len(samples)} samples. The first: {found.failures[0].reason}",
            hint="Check that the data is what the application takes; 'edgewright inspect' says what that is.",
        )
    return found


def value_figures(package: ApplicationPackage, data: Dataset, found: Answered) -> tuple[ValueFigures, ...]:
    """Judge all values that the data has ground truth of.

    Raises:
        InputError: A metric is not defined on this data.
    """
    if data.labels is None:
        return ()
    figures = []
    for value, metric in judged_values(package).items():
        if value not in data.labels[0]:
            continue
        values = found.values(value)
        truth = [labels[value] for labels in data.labels]
        scoring = Scoring(VALUE_METRICS[metric].metric, truth, told(metric, values), keep_scores=True)
        missing = sum(one is None for one in values)
        figures.append(ValueFigures(value, metric, missing, scoring.of_baseline()))
    return tuple(figures)


def _timed(
    application: Application, data: Dataset, found: Answered, settings: MeterSettings, progress: Progress
) -> tuple[tuple[tuple[float, ...], ...], Mapping[str, list[float]]]:
    """Seconds of calls, one list a round, and of each step in the calls in which it ran."""
    good = [sample for sample, run in zip(data.samples, found.runs, strict=True) if run is not None]
    calls = settings.calls or calls_that_fit(float(np.median(found.seconds)))
    random = np.random.default_rng(settings.seed)
    by_size = np.argsort([size_of(sample) for sample in good], kind="stable")
    steps: dict[str, list[float]] = defaultdict(list)
    rounds = []
    bar = progress.bar("timing in rounds", settings.rounds)
    for _ in range(settings.rounds):
        seconds = []
        for index in samples_alike(by_size, calls, random):
            start = time.perf_counter()
            run = application.run(good[index])
            seconds.append(time.perf_counter() - start)
            for name, took in run.seconds.items():
                if run.calls.get(name):
                    steps[name].append(took)
        rounds.append(tuple(seconds))
        bar.update()
    bar.close()
    return tuple(rounds), steps


def _memory(
    application: Application, data: Dataset, settings: MeterSettings, progress: Progress
) -> tuple[WholeMemory | None, tuple[str, ...]]:
    """The memory of the whole, or a sentence that says why it was not read."""
    progress.note("Reading the memory of a process that runs the whole")
    try:
        return measure_memory(application.package, data.samples, settings.threads), ()
    except InputError as error:
        return None, (f"The memory of the whole was not read. {error.message}",)


def _over_limit(memory: WholeMemory | None) -> tuple[str, ...]:
    """That the whole takes more than its limit, as a sentence."""
    if memory is None or memory.max_bytes is None or memory.peak_bytes <= memory.max_bytes:
        return ()
    return (
        f"A process that runs the whole takes {memory.peak_bytes / 1e6:,.1f} MB at its peak, more than its limit of "
        f"{memory.max_bytes / 1e6:,.1f} MB.",
    )


def _step_figures(
    package: ApplicationPackage, found: Answered, steps: Mapping[str, list[float]], seconds: float
) -> tuple[StepFigures, ...]:
    flow = package.checked.flow
    samples, calls, held = Counter[str](), Counter[str](), Counter[str]()
    for run in found.runs:
        if run is not None:
            calls.update(run.calls)
            samples.update(name for name, count in run.calls.items() if count)
            held.update(run.held)
    return tuple(
        StepFigures(
            name=name,
            does=flow.step[name].model or flow.step[name].do or "",
            samples=samples[name],
            calls=calls[name],
            share=sum(steps.get(name, ())) / seconds,
            median=float(np.median(steps[name])) if steps.get(name) else None,
            when=flow.step[name].when or "",
            held=held[name] if flow.step[name].when is not None else None,
        )
        for name in package.checked.order
    )


def _strangers(application: Application) -> tuple[str, ...]:
    """That models were made for other machines than this one, as a sentence: the figures are not the targets'."""
    manifests = {name: application.package.models[name].manifest for name in application.engines}
    others = [name for name, manifest in manifests.items() if manifest.hardware and not manifest.targets_here()]
    if not others:
        return ()
    targets = ", ".join(dict.fromkeys(target for name in others for target in manifests[name].baselines))
    return (f"The engines of {', '.join(others)} were made for {targets}: the figures are those of this machine.",)


def _of_data(package: ApplicationPackage, data: Dataset, steps: Sequence[StepFigures]) -> tuple[str, ...]:
    """What the data does not show, as sentences."""
    found = [
        f"The condition '{step.when}' of the step '{step.name}' never held on {data.name}, so nothing measured here "
        "says anything about that step."
        for step in steps
        if step.held == 0
    ]
    known = data.labels[0] if data.labels is not None else {}
    if not known:
        found.append(
            f"{data.name} has no ground truth, so only time was measured. Name a column after an answer: "
            f"{', '.join(package.checked.flow.answer)}."
        )
    found += [
        f"'{value}' has the metric {metric}, and {data.name} has no column '{value}', so it was not judged."
        for value, metric in package.checked.flow.metric.items()
        if known and value not in known
    ]
    return tuple(found)
