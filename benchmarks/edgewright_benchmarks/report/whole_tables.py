"""The tables of the report of an application, which page and Markdown both lay out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edgewright_benchmarks.applications.chosen_engines import ChosenEngines
from edgewright_benchmarks.applications.fitted_weights import FittedWeights
from edgewright_benchmarks.applications.float_whole import float_sentence
from edgewright_benchmarks.applications.model_facts import ModelFacts
from edgewright_benchmarks.applications.threshold_result import FoundThreshold
from edgewright_benchmarks.applications.whole_result import StepFigures, ValueFigures, WholeLatency, WholeResult
from edgewright_benchmarks.metrics import metric_span, metric_title, metric_value
from edgewright_benchmarks.report import words
from edgewright_benchmarks.report.words import NOT_MEASURED, NOTHING
from edgewright_benchmarks.statistics.bounds import significant

# Failures that a report shows; the result file has more.
_MOST_FAILURES: Final = 20
# The confidence of the intervals of metrics, whatever that of the bounds.
_METRIC_SURE: Final = "95%"


@dataclass(frozen=True)
class Table:
    """A table of the report.

    Attributes:
        title: Above it.
        headings: Of its columns, each with whether the column holds numbers.
        rows: Cells as they are shown, in the order of the headings.
        notes: Sentences below it.
    """

    title: str
    headings: tuple[tuple[str, bool], ...]
    rows: Sequence[tuple[str, ...]]
    notes: tuple[str, ...] = ()


def whole_tables(result: WholeResult, built: WholeResult | None) -> list[Table]:
    """All tables, each only where there is something in it.

    Args:
        result: The bench.
        built: The evidence of the build; thresholds and weights were found there.
    """
    found = result if built is None else built
    tables = [_values(result), _against_float(result), _steps(result), _models(result)]
    if found.chosen_engines is not None:
        tables.append(_engines(found.chosen_engines))
    tables += [_threshold(one) for one in found.thresholds]
    tables += [_weights(one) for one in found.fitted]
    tables.append(_failures(result))
    return [table for table in tables if table.rows]


def _values(result: WholeResult) -> Table:
    rows = []
    for figures in result.values:
        for index, (name, interval) in enumerate(figures.accuracy.metrics.items()):
            title = metric_title(name, "accuracy", first=index == 0)
            span = metric_span(name, interval)
            rows.append((figures.value, title, metric_value(name, interval.value), span, f"{figures.missing:,}"))
    sure = f"{_METRIC_SURE} interval"
    headings = (("Value", False), ("Metric", False), ("Figure", True), (sure, True), ("Missing", True))
    note = f"Judged on {result.data.samples:,} samples. A value that is missing counts as wrong."
    return Table("How good it is, end to end", headings, rows, (note,))


def _against_float(result: WholeResult) -> Table:
    floats = result.float_whole
    headings = (
        *(("Engines", False), ("Median", True), ("p95", True), ("p99", True)),
        *((figures.value, True) for figures in (() if floats is None else floats.values)),
    )
    if floats is None:
        return Table("Against float", headings, [])
    rows = [
        _side("as packaged", result.latency, result.values),
        _side("float baselines", floats.latency, floats.values),
    ]
    return Table("Against the float engines of its models", headings, rows, (float_sentence(result),))


def _side(name: str, latency: WholeLatency, values: tuple[ValueFigures, ...]) -> tuple[str, ...]:
    times = (words.milliseconds(seconds) for seconds in (latency.p50, latency.p95, latency.p99))
    firsts = (next(iter(one.accuracy.metrics.items())) for one in values)
    return (name, *times, *(metric_value(metric, interval.value) for metric, interval in firsts))


def _engines(chosen: ChosenEngines) -> Table:
    headings = (
        *(("Models on their own engine", False), ("Loss against float, points", True), ("At most", True)),
        ("Kept the budget", False),
    )
    rows = [
        (
            ", ".join(one.models),
            words.points(one.drop.value),
            words.points_bound(one.drop.high),
            "yes" if one.kept else "no",
        )
        for one in chosen.tried
    ]
    return Table("Engines that the build chose together", headings, rows, (chosen.reason,))


def _steps(result: WholeResult) -> Table:
    whole = result.data.samples
    headings = (
        *(("Step", False), ("Model or node", False), ("Samples", True), ("Calls", True)),
        *(("Share of the time", True), ("Median", True), ("Condition", False), ("It held", True)),
    )
    rows = [_step(step) for step in result.steps]
    return Table(
        "What each step takes", headings, rows, (f"Of {whole:,} samples; the median is of calls that ran it.",)
    )


def _step(step: StepFigures) -> tuple[str, ...]:
    median = NOTHING if step.median is None else words.milliseconds(step.median)
    held = NOTHING if step.held is None else f"{step.held:,}"
    figures = (f"{step.samples:,}", f"{step.calls:,}", f"{100 * step.share:.1f}%", median)
    return (step.name, step.does, *figures, step.when or NOTHING, held)


def _models(result: WholeResult) -> Table:
    headings = (
        *(("Model", False), ("Task", False), ("Engine that ran", False), ("Provider, precision", False)),
        *(("Rung", False), ("Speed", True), ("Loss, points", True)),
    )
    note = (
        "Rung, speed and loss are those of the evidence in the model's own package: against its float baseline, on the "
        "data of its own build."
    )
    return Table("The engine of each model", headings, [_model(one) for one in result.models], (note,))


def _model(facts: ModelFacts) -> tuple[str, ...]:
    if not facts.engine:
        return (facts.name, facts.task, "no sample needed it", *[NOTHING] * 4)
    speed = NOT_MEASURED if facts.ratio is None else words.times(words.speed(facts.ratio).value)
    loss = NOT_MEASURED
    if facts.drop is not None:
        kind = " of agreement" if facts.measure == "agreement" else ""
        loss = f"{words.points(facts.drop.value)}, at most {words.points_bound(facts.drop.high)}{kind}"
    made = f"{facts.provider}, {facts.precision}"
    return (facts.name, facts.task, facts.engine, made, facts.rung, speed, loss)


def _threshold(found: FoundThreshold) -> Table:
    headings = (
        *(("Threshold", False), ("Samples asked", True), ("Loss, points", True), ("At most", True)),
        *(("Mean of a call", True), ("p95", True), ("Kept the budget", False)),
    )
    rows: list[tuple[str, ...]] = [
        (
            f"{one.constant:.6g}",
            f"{one.asked:,} of {found.samples:,}",
            words.points(one.drop.value),
            words.points_bound(one.drop.high),
            words.milliseconds(one.mean_seconds),
            words.milliseconds(one.p95_seconds),
            "yes" if one.kept else "no",
        )
        for one in found.tried
    ]
    always = (words.milliseconds(found.always_mean_seconds), words.milliseconds(found.always_p95_seconds))
    rows.append(("none: always", f"{found.samples:,} of {found.samples:,}", *[NOTHING] * 2, *always, NOTHING))
    return Table(f"The threshold of '{found.step}', found by the build", headings, rows, (found.reason,))


def _weights(fitted: FittedWeights) -> Table:
    headings = (("Input", False), ("Weight", True), ("Temperature alone", True))
    rows = [(name, significant(weight), _temperature(fitted, name)) for name, weight in fitted.weights.items()]
    note = (
        f"Fitted by the build on {fitted.samples:,} samples. The log loss there is {fitted.log_loss:.3g}, and "
        f"{fitted.log_loss_equal:.3g} with equal weights. A temperature above 1 says that the scores are too sure."
    )
    return Table(f"The weights of '{fitted.step}', found by the build", headings, rows, (note,))


def _temperature(fitted: FittedWeights, name: str) -> str:
    found = fitted.temperatures.get(name)
    return NOTHING if found is None else significant(found)


def _failures(result: WholeResult) -> Table:
    shown = result.failures[:_MOST_FAILURES]
    rows = [
        (
            f"{one.sample:,}",
            one.step or NOTHING,
            NOTHING if one.index is None else f"{one.index + 1:,}",
            one.reason,
        )
        for one in shown
    ]
    notes = [f"{result.failed:,} of {result.data.samples:,} samples have no answers, and count as wrong."]
    if (more := result.failed + result.failed_values - len(shown)) > 0:
        notes.append(f"{more:,} more failed; the result file has the first {len(result.failures):,}.")
    headings = (("Sample", True), ("Step", False), ("Value of its list", True), ("Why", False))
    return Table("Failures", headings, rows, tuple(notes))
