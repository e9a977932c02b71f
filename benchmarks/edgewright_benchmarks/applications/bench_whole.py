"""Bench an application: what it answers for all samples, then its time in rounds, and what each step takes of it.

from edgewright_benchmarks.applications.bench_whole import bench_application

result = bench_application("assistant.ortpackage", "test.csv")
result.latency.p95, result.values[0].accuracy.metrics
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy import Scoring
from edgewright_benchmarks.applications.float_whole import float_application, float_engines
from edgewright_benchmarks.applications.model_facts import facts_of_models
from edgewright_benchmarks.applications.value_metrics import VALUE_METRICS, told
from edgewright_benchmarks.applications.whole_data import judged_values, read_whole_data
from edgewright_benchmarks.applications.whole_memory import WholeMemory, measure_memory
from edgewright_benchmarks.applications.whole_result import (
    MOST_LISTED,
    Failure,
    FloatWhole,
    StepFigures,
    ValueFigures,
    WholeResult,
    found_here,
    whole_evidence,
)
from edgewright_benchmarks.applications.whole_times import WholeTimes, time_in_turns
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.judging.evidence import data_facts, now, tool_versions
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.rounds import calls_that_fit
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.result import Settings
from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_benchmarks.statistics.stability import stability_warnings
from edgewright_runtime.applications.application import Application, ApplicationPackage
from edgewright_runtime.applications.running import FlowRun
from edgewright_runtime.errors import SampleError
from edgewright_targets import InputError, host_facts

_NOT_COMPARED = (
    "The float engines of its models were not compared, so only the builds of the models show that none is slower."
)


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
    *,
    max_drop: float | None = None,
) -> WholeResult:
    """See `bench_application`.

    Args:
        application: It.
        data: As `read_whole_data` gives it.
        settings: How to measure.
        progress: Told how far it is.
        confidence: Of the intervals of latency, and of bounds of drops.
        max_drop: The budget as a share, where there is one.
    """
    progress = progress or Quiet()
    with machine_to_itself(progress), contextlib.ExitStack() as opened:
        found = answer_all(application, data.samples, progress)
        floats, unable = _float_side(application, data, found, settings, progress, opened)
        sides = [(application, found), *floats]
        calls = settings.calls or calls_that_fit(float(np.median(found.seconds)))
        good = _answered_by_all(data, [answered for _, answered in sides])
        times, *float_times = time_in_turns([side for side, _ in sides], good, calls, settings, progress)
        memory, unread = _memory(application, data, settings, progress)
    other = floats[0][1] if floats else None
    values = value_figures(application.package, data, found, other, max_drop=max_drop, confidence=confidence)
    whole = [one for one in found.failures if not one.step]
    figures = _step_figures(application.package, found, times)
    return WholeResult(
        name=application.package.name,
        data=data_facts(data),
        machine=host_facts(),
        versions=tool_versions(),
        settings=Settings(
            rounds=len(times.rounds),
            calls=calls,
            warmup=len(data.samples),
            threads=max((info.threads for info in application.engines.values()), default=1),
            seed=settings.seed,
        ),
        engines={name: info.name for name, info in application.engines.items()},
        latency=times.latency(confidence),
        steps=figures,
        values=values,
        failed=len(whole),
        failed_values=len(found.failures) - len(whole),
        failures=tuple(found.failures[:MOST_LISTED]),
        warnings=(
            *_strangers(application),
            *unable,
            *unread,
            *_over_limit(memory),
            *_of_data(application.package, data, figures),
            *stability_warnings({application.package.name: times.rounds}, confidence),
        ),
        created=now(),
        confidence=confidence,
        models=facts_of_models(application),
        memory=memory,
        float_whole=_float_whole(application, data, other, times, float_times, confidence),
    )


def _float_side(
    application: Application,
    data: Dataset,
    found: Answered,
    settings: MeterSettings,
    progress: Progress,
    opened: contextlib.ExitStack,
) -> tuple[list[tuple[Application, Answered]], tuple[str, ...]]:
    """The application with float engines and its answers, where it can be compared; and why it cannot be."""
    try:
        floats = float_application(application, threads=settings.threads)
        if floats is None:
            return [], ()
        opened.enter_context(floats)
        answered = answer_all(floats, data.samples, progress)
    except InputError as error:
        return [], (f"{_NOT_COMPARED} {error.message}",)
    if not _answered_by_all(data, [found, answered]):
        return [], (f"{_NOT_COMPARED} They answer none of the same samples.",)
    return [(floats, answered)], ()


def _answered_by_all(data: Dataset, sides: Sequence[Answered]) -> list[Any]:
    """The samples on which no side failed."""
    return [
        sample
        for sample, *runs in zip(data.samples, *(side.runs for side in sides), strict=True)
        if all(run is not None for run in runs)
    ]


def _float_whole(
    application: Application,
    data: Dataset,
    other: Answered | None,
    times: WholeTimes,
    float_times: Sequence[WholeTimes],
    confidence: float,
) -> FloatWhole | None:
    """What was found with float engines; None where there was nothing to compare."""
    engines = float_engines(application.package, application.engines)
    if other is None or not float_times or engines is None:
        return None
    return FloatWhole(
        engines=engines,
        latency=float_times[0].latency(confidence),
        ratio=latency_ratio(times.rounds, float_times[0].rounds, confidence=confidence),
        values=value_figures(application.package, data, other),
        failed=sum(run is None for run in other.runs),
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


def value_figures(
    package: ApplicationPackage,
    data: Dataset,
    found: Answered,
    floats: Answered | None = None,
    *,
    max_drop: float | None = None,
    confidence: float = CONFIDENCE,
) -> tuple[ValueFigures, ...]:
    """Judge all values that the data has ground truth of.

    Args:
        package: The application.
        data: With its ground truth.
        found: What it answered.
        floats: What it answered with float engines, which drops are against; None drops nothing.
        max_drop: The budget as a share, where there is one: then it is said how many samples would decide.
        confidence: Of bounds of drops.

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
        predictions = told(metric, values)
        scoring = Scoring(
            VALUE_METRICS[metric].metric,
            truth,
            predictions if floats is None else told(metric, floats.values(value)),
            max_drop=max_drop,
            confidence=confidence,
            keep_scores=True,
        )
        accuracy = scoring.of_baseline() if floats is None else scoring.of(predictions)
        missing = sum(one is None for one in values)
        figures.append(ValueFigures(value, metric, missing, accuracy))
    return tuple(figures)


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
    sentence = (
        f"A process that runs the whole takes {memory.peak_bytes / 1e6:,.1f} MB at its peak, more than its limit of "
        f"{memory.max_bytes / 1e6:,.1f} MB."
    )
    return (sentence,)


def _step_figures(package: ApplicationPackage, found: Answered, times: WholeTimes) -> tuple[StepFigures, ...]:
    flow, steps = package.checked.flow, times.steps
    seconds = sum(map(sum, times.rounds))
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
