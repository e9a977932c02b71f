"""The first screen of a report, in words: the headline figures and the data they come from."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.measuring.busy_programs import busy_words
from edgewright_benchmarks.metrics import metric_span, metric_title, metric_value
from edgewright_benchmarks.report import words
from edgewright_benchmarks.report.facts import answered, first_metric, over_budget, timed, unseen
from edgewright_benchmarks.report.words import NOT_MEASURED
from edgewright_benchmarks.result import Result


@dataclass(frozen=True)
class Figure:
    """A headline figure: what, how much, and the lines that qualify it. `alarming`: it breaks the budget."""

    label: str
    value: str
    lines: tuple[str, ...]
    alarming: bool = False


def basis(result: Result, build: Result | None) -> str:
    """Which data the figures come from, and what that means for quoting them."""
    data = f"{result.data.name}, {result.data.samples:,} {'labelled' if result.data.labelled else 'unlabelled'} samples"
    if unseen(result, build):
        return f"The figures are from data that was not used to choose the engine ({data}): quote these."
    if result.kind == "bench":
        return (
            f"The figures are from the data that the engine was chosen on ({data}), so they are too good: do not "
            "quote them. Bench again with samples that the build did not use."
        )
    return (
        f"The figures are from the evaluation data ({data}), on which the engine was chosen: they explain the choice "
        "but are slightly too good. For figures to quote, run edgewright bench with other data."
    )


def headline(result: Result) -> list[Figure]:
    """The chosen engine against the float baseline."""
    chosen, baseline = result.engine(result.chosen), result.engine(result.baseline)
    figures = [_speed(chosen, baseline), _accuracy(result, chosen, baseline)]
    figures.append(_bytes("Size on disk", chosen.size_bytes, baseline.size_bytes, same=chosen is baseline))
    measured = chosen.rung == baseline.rung == "measured"
    memory = (chosen.peak_memory_bytes, baseline.peak_memory_bytes) if measured else (None, None)
    figures.append(_bytes("Peak memory", *memory, same=chosen is baseline))
    return figures


def _speed(chosen: EngineResult, baseline: EngineResult) -> Figure:
    latency, base = timed(chosen), timed(baseline)
    if latency is None or base is None:
        return Figure("Speed", NOT_MEASURED, _why_absent(chosen if latency is None else baseline))
    if chosen is baseline:
        return Figure("Median latency", words.milliseconds(latency.p50), ("This is the float baseline itself.",))
    speed = words.speed(latency.ratio)
    lines = [
        f"{words.confidence(speed)} interval {words.times_span(speed)}",
        f"median {words.milliseconds(latency.p50)}, float baseline {words.milliseconds(base.p50)}",
    ]
    if latency.beside:
        alone = f"; {words.times(words.speed(chosen.alone.ratio).value)} alone" if chosen.alone else ""
        lines.append(f"beside {busy_words(latency.beside)}{alone}")
    if speed.low <= 1 <= speed.high:
        lines.append("no clear difference from the baseline")
    return Figure("Speed against the float baseline", words.times(speed.value), tuple(lines))


def _why_absent(engine: EngineResult) -> tuple[str, ...]:
    if engine.status == "failed":
        return (f"{engine.name} failed here.",)
    return () if engine.rung == "measured" else (f"{engine.rung.capitalize()}: {words.RUNGS[engine.rung]}.",)


def _accuracy(result: Result, chosen: EngineResult, baseline: EngineResult) -> Figure:
    accuracy = answered(chosen)
    value = first_metric(accuracy) if accuracy else None
    if accuracy is None or value is None:
        label = metric_title("accuracy", result.measure, first=True)
        return Figure(label, NOT_MEASURED, _why_absent(chosen))
    name = next(iter(accuracy.metrics))
    label = metric_title(name, result.measure, first=True)
    lines = [f"{words.confidence(value)} interval {metric_span(name, value)}, {accuracy.samples:,} samples"]
    if result.measure == "agreement":
        lines.insert(0, "share of predictions equal to the float model's; not accuracy")
    if chosen is baseline:
        return Figure(
            label,
            metric_value(name, value.value),
            (*lines, "This is the float baseline itself: nothing is lost."),
        )
    if chosen.rung == "emulated":
        lines.append("from a bit-true emulator of the hardware")
    alarming = over_budget(result, chosen)
    lines.append(
        f"{words.drop_word(result.measure).lower()} {words.points(accuracy.drop.value)} points, at most "
        f"{words.points_bound(accuracy.drop.high)} with {words.confidence(accuracy.drop)} confidence; "
        f"budget {words.budget(result.max_drop)}: {'NOT WITHIN BUDGET' if alarming else 'within budget'}"
    )
    return Figure(label, metric_value(name, value.value), tuple(lines), alarming)


def _bytes(label: str, mine: int | None, base: int | None, *, same: bool) -> Figure:
    if mine is None:
        return Figure(label, NOT_MEASURED, ())
    if same or base is None or base == 0:
        return Figure(label, words.megabytes(mine), ())
    change = f"{(mine / base - 1) * 100:+.0f}%".replace("-", words.MINUS)
    return Figure(label, words.megabytes(mine), (f"float baseline {words.megabytes(base)}, {change}",))
