"""The report of an application in words: its headline figures, what to know before, and how it was measured."""

from __future__ import annotations

from edgewright_benchmarks.applications.whole_result import WholeResult
from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.metrics import metric_span, metric_title, metric_value
from edgewright_benchmarks.report import words
from edgewright_benchmarks.report.facts import Warned
from edgewright_benchmarks.report.headline import Figure
from edgewright_benchmarks.report.view import machine_rows
from edgewright_benchmarks.report.words import NOT_MEASURED
from edgewright_targets import InputError


def check_whole(result: WholeResult, built: WholeResult | None) -> None:
    """Refuse figures that are not figures, and the evidence of another application.

    Raises:
        InputError: A time is not above zero, or the names differ.
    """
    if not all(0 < seconds < float("inf") for seconds in (*result.latency.values, result.latency.mean)):
        raise InputError(f"The result of '{result.name}' holds a time that is not a number above zero.")
    if built is not None and built.name != result.name:
        raise InputError(f"The result is of '{result.name}', and the evidence of '{built.name}'.")


def whole_sentence(result: WholeResult) -> str:
    """The first line of the report."""
    took = f"{words.milliseconds(result.latency.p50)} a call"
    if not result.values:
        return took
    first = result.values[0]
    name, interval = next(iter(first.accuracy.metrics.items()))
    return (
        f"{metric_title(name, 'accuracy', first=True)} of '{first.value}' {metric_value(name, interval.value)}, {took}"
    )


def slowest_sentence(result: WholeResult) -> str:
    """Which step takes most of the time."""
    slowest = max(result.steps, key=lambda step: step.share)
    return f"The step '{slowest.name}' takes most of the time: {100 * slowest.share:.1f}% of all calls."


def made_of(result: WholeResult) -> str:
    """The models that it is made of."""
    names = [one.name for one in result.models] or list(result.engines)
    return f"{len(names)} model{'s' * (len(names) != 1)}: {', '.join(names)}"


def whole_basis(result: WholeResult, built: WholeResult | None) -> str:
    """Which data the figures come from, and whether the build knew it."""
    data = f"{result.data.name}, {result.data.samples:,} {'labelled' if result.data.labelled else 'unlabelled'} samples"
    if built is None or not built.data.same_data(result.data):
        return f"The figures are of whole calls in one process, on {data}."
    return (
        f"The figures are of whole calls in one process, on the data that the application was built on ({data}). Where "
        "something was found on that data they are too good: do not quote them."
    )


def whole_warnings(result: WholeResult) -> list[Warned]:
    """What the reader must know before believing the figures."""
    return [Warned("", text) for text in result.warnings]


def whole_figures(result: WholeResult) -> list[Figure]:
    """The headline figures."""
    latency, sure = result.latency, f"{100 * result.confidence:g}%"
    floats = result.float_whole
    against = () if floats is None else (_speed(floats.ratio),)
    median = Figure(
        "Median latency of a call",
        words.milliseconds(latency.p50),
        (
            *against,
            f"{sure} interval {_span(result, 'p50')}",
            f"p95 {words.milliseconds(latency.p95)}, interval {_span(result, 'p95')}",
            f"p99 {words.milliseconds(latency.p99)}, mean {words.milliseconds(latency.mean)}",
        ),
    )
    return [*_accuracy(result), median, _memory(result), _failed(result)]


def _accuracy(result: WholeResult) -> list[Figure]:
    if not result.values:
        return [Figure("Accuracy", NOT_MEASURED, ("The data has no ground truth.",))]
    first = result.values[0]
    name, interval = next(iter(first.accuracy.metrics.items()))
    title = f"{metric_title(name, 'accuracy', first=True)} of '{first.value}'"
    lines = [
        f"{words.confidence(interval)} interval {metric_span(name, interval)}, {first.accuracy.samples:,} samples",
        "end to end",
    ]
    if result.float_whole is not None:
        drop = first.accuracy.drop
        lines.append(
            f"against float: {words.points(drop.value)} points lost, at most {words.points_bound(drop.high)} with "
            f"{words.confidence(drop)} confidence"
        )
    return [Figure(title, metric_value(name, interval.value), tuple(lines))]


def _speed(ratio: Interval) -> str:
    speed = words.speed(ratio)
    span = f"{words.confidence(speed)} interval {words.times_span(speed)}"
    return f"{words.times(speed.value)} as fast as with float engines, {span}"


def _memory(result: WholeResult) -> Figure:
    memory = result.memory
    if memory is None:
        return Figure("Peak memory", NOT_MEASURED, ())
    lines = [f"of a process that runs it; {words.megabytes(memory.empty_bytes)} without a model"]
    if memory.max_bytes is not None:
        lines.append(f"limit {words.megabytes(memory.max_bytes)}; models let go: {memory.unloaded:,}")
    above = memory.max_bytes is not None and memory.peak_bytes > memory.max_bytes
    return Figure("Peak memory", words.megabytes(memory.peak_bytes), tuple(lines), alarming=above)


def _failed(result: WholeResult) -> Figure:
    many = "value" if result.failed_values == 1 else "values"
    lines = (f"{result.failed_values:,} {many} of lists failed",) if result.failed_values else ()
    counted = f"{result.failed:,} of {result.data.samples:,}"
    return Figure("Samples without answers", counted, lines, alarming=result.failed > 0)


def _span(result: WholeResult, name: str) -> str:
    return words.milliseconds_span(result.latency.intervals[name])


def whole_environment(result: WholeResult) -> list[tuple[str, str]]:
    """Machine, tools, settings and data: a label and a text each."""
    settings, data = result.settings, result.data
    how = (
        f"{settings.rounds} rounds of {settings.calls} calls, after {settings.warmup} calls that were judged, "
        f"{settings.threads} threads, one sample a call, seed {settings.seed}"
    )
    return [
        ("Data", f"{data.name}, {data.samples:,} samples, {'labelled' if data.labelled else 'not labelled'}"),
        ("Data digest", data.digest),
        ("Confidence", f"{100 * result.confidence:g}%"),
        *machine_rows(result.machine, result.versions).items(),
        ("Settings", how),
        ("Measured at", result.created),
    ]
