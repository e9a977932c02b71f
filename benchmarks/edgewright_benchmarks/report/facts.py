"""What a report may say: the rules of honesty, in one place for page, charts and table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edgewright_benchmarks.engine_result import Accuracy, EngineResult, Interval, Latency
from edgewright_benchmarks.judging.foreign_engines import NOT_HERE, is_foreign
from edgewright_benchmarks.judging.native_comparison import notes_of
from edgewright_benchmarks.report.words import budget, drop_word, points_bound
from edgewright_benchmarks.result import Result
from edgewright_targets import InputError


@dataclass(frozen=True)
class Warned:
    """A warning for the top of the report: where it comes from (empty where there is one source) and what it says."""

    source: str
    text: str


def timed(engine: EngineResult) -> Latency | None:
    """The latency, only where it was measured: times from an emulator or from nowhere are not times."""
    return engine.latency if engine.rung == "measured" else None


def answered(engine: EngineResult) -> Accuracy | None:
    """The accuracy, only where the engine ran, on hardware or on a bit-true emulator of it."""
    return engine.accuracy if engine.rung in ("measured", "emulated") else None


def first_metric(accuracy: Accuracy) -> Interval | None:
    """The metric that the budget is about."""
    return next(iter(accuracy.metrics.values()), None)


def role(result: Result, engine: EngineResult) -> str:
    """The status, or `chosen` for the accepted engine that is used.

    A bench judges again: one that it refuses stays `refused` even where it is used. What is for other processors is
    `elsewhere`.
    """
    if is_foreign(engine):
        return "elsewhere"
    return "chosen" if engine.name == result.chosen and engine.status == "accepted" else engine.status


def status(result: Result, engine: EngineResult) -> str:
    """What became of the engine, in words, and that it is the one in use."""
    if engine.name != result.chosen:
        return NOT_HERE if is_foreign(engine) else engine.status
    if result.kind == "bench":
        return f"{engine.status}, runs here"
    return "chosen" if engine.status == "accepted" else f"{engine.status}, ships"


def unseen(result: Result, build: Result | None) -> bool:
    """Whether the figures are from data that the choice never saw."""
    return result.kind == "bench" and (build is None or not build.data.same_data(result.data))


def over_budget(result: Result, engine: EngineResult) -> bool:
    """Whether the bound of the drop is above the budget."""
    accuracy = answered(engine)
    return engine.name != result.baseline and accuracy is not None and accuracy.drop.high > result.max_drop


def notes(engine: EngineResult) -> tuple[str, ...]:
    """All notes of an engine, as sentences."""
    changes = engine.otherwise
    if changes is None or not changes.count or engine.accuracy is None:
        return notes_of(engine)
    changed = (
        f"{changes.count:,} of {engine.accuracy.samples:,} samples have other predictions than the float baseline: "
    )
    more = f" and {changes.count - len(changes.first):,} more" if changes.count > len(changes.first) else ""
    return (*notes_of(engine), f"{changed}{', '.join(map(str, changes.first))}{more}.")


def numbers(result: Result, build: Result | None) -> Mapping[str, int]:
    """One number for each engine, the same in every chart and table of the report: as the build tried them."""
    names = [engine.name for one in (build, result) if one is not None for engine in one.engines]
    return {name: number for number, name in enumerate(dict.fromkeys(names), 1)}


def check(result: Result, build: Result | None) -> None:
    """Refuse figures that are not figures, and two results as one story where they are not.

    Raises:
        InputError: A time is not above zero, `build` is not a build or is of another model or baseline.
    """
    for one in (result, build):
        for engine in one.engines if one is not None else ():
            _check_times(engine)
    if build is None:
        return
    if build.kind != "build":
        raise InputError(f"Expected the evidence of a build, found the result of a {build.kind}.")
    for what, mine, theirs in (
        ("model", result.model, build.model),
        ("baseline", result.baseline, build.baseline),
    ):
        if mine != theirs:
            raise InputError(
                f"The result and the build's evidence do not belong together: the {what} is '{mine}' in the result, "
                f"but '{theirs}' in the build.",
                hint="Pass the evidence of the build that made the measured package.",
            )


def _check_times(engine: EngineResult) -> None:
    for latency in filter(None, (engine.latency, engine.alone)):
        _check_latency(engine, latency)


def _check_latency(engine: EngineResult, latency: Latency) -> None:
    times = [*latency.values, latency.median, latency.p50, latency.p90, latency.p95, latency.p99, latency.throughput]
    if not all(
        math.isfinite(v) and v > 0 for v in (*times, latency.ratio.low, latency.ratio.value, latency.ratio.high)
    ):
        raise InputError(f"The result of engine '{engine.name}' holds a time that is not a number above zero.")


def warnings(result: Result, build: Result | None) -> list[Warned]:
    """What the reader must know before believing the figures: found here first, then what the meter noted."""
    # A bench on the data of the choice is said where the data is named; see headline.basis.
    warnings = [Warned("", text) for text in [_over_budget_warning(result)] if text]
    if build is None:
        return warnings + [Warned("", text) for text in result.warnings]
    noted: dict[str, list[str]] = {}
    for one in (result, build):
        for text in one.warnings:
            noted.setdefault(text, []).append(one.kind)
    return warnings + [Warned(" and ".join(dict.fromkeys(kinds)), text) for text, kinds in noted.items()]


def _over_budget_warning(result: Result) -> str:
    chosen = result.engine(result.chosen)
    accuracy = answered(chosen)
    if accuracy is None or not over_budget(result, chosen):
        return ""
    if any(reason in text for reason in chosen.reasons for text in result.warnings):
        return ""  # the meter has said it
    text = (
        f"{drop_word(result.measure)} of the chosen engine is not shown to be within the budget on these samples: "
        f"it may be up to {points_bound(accuracy.drop.high)} points. The budget is {budget(result.max_drop)}."
    )
    if accuracy.samples_needed is not None:
        return f"{text} Measure with about {accuracy.samples_needed:,} samples to decide it, or ship the baseline."
    return f"{text} Ship the baseline, or build again with a larger budget."
