"""Which engine ships: judges every candidate by its bounds, and picks the fastest that passed.

    accepted if and only if  accuracy.drop.high <= max_drop  and  latency.ratio.high <= 1

Both are bounds and no point estimates: what is not shown does not count. Of several engines that are fast enough none
may pass by luck; see `several_engines`. Sentences say the numbers that decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from edgewright_benchmarks.engine_result import Accuracy, EngineResult, Interval
from edgewright_benchmarks.judging.foreign_engines import NOT_HERE, is_foreign
from edgewright_benchmarks.judging.several_engines import Verdict, judge_drops, speed_order
from edgewright_benchmarks.measuring.busy_programs import busy_words
from edgewright_benchmarks.result import Measure
from edgewright_benchmarks.statistics.bounds import apart, asked_confidence, lower, points_at_most, span
from edgewright_benchmarks.statistics.intervals import starved_baseline
from edgewright_targets import InputError

# In the reason of an engine that would have been accepted alone.
ONE_OF_SEVERAL: Final = "engines that are fast enough one could pass by luck"


@dataclass(frozen=True)
class Choice:
    """All engines with their status, the name of the one that ships, and why in one sentence."""

    engines: tuple[EngineResult, ...]
    chosen: str
    reason: str


def choose(engines: Sequence[EngineResult], baseline: str, *, max_drop: float, measure: Measure) -> Choice:
    """Judge all `engines` and choose the one that ships; see the module for the rule.

    Args:
        engines: All that were tried, the baseline among them; those that failed have that status already.
        baseline: Name of the float engine.
        max_drop: The budget as a share: 0.01 is one percentage point.
        measure: What the drops are drops of.

    Raises:
        InputError: The baseline is missing or failed: there is nothing to compare with, and nothing to fall back on.
    """
    names = [engine.name for engine in engines]
    if baseline not in names:
        raise InputError(f"The baseline '{baseline}' is not among the engines: {', '.join(names) or 'none'}.")
    if engines[names.index(baseline)].status == "failed":
        reasons = " ".join(engines[names.index(baseline)].reasons)
        raise InputError(f"The baseline '{baseline}' failed, so nothing can be compared. {reasons}".rstrip())
    rivals = [engine for engine in engines if engine.name != baseline and _could_ship(engine)]
    verdicts = judge_drops(rivals, max_drop, engines[names.index(baseline)])
    judged = tuple(
        replace(engine, status="baseline")
        if engine.name == baseline
        else judge(engine, max_drop=max_drop, measure=measure, verdict=verdicts.get(engine.name))
        for engine in engines
    )
    accepted = [engine for engine in judged if engine.status == "accepted"]
    if not accepted:
        return Choice(judged, baseline, _no_winner(judged, baseline))
    winner = speed_order(accepted)[0]
    return Choice(judged, winner.name, _winner(winner, len(accepted), max_drop, measure, verdicts[winner.name]))


def judge(
    candidate: EngineResult, *, max_drop: float, measure: Measure, verdict: Verdict | None = None
) -> EngineResult:
    """The candidate with status `accepted` or `refused` and the reasons added; one that never ran stays as it is.

    Args:
        candidate: It.
        max_drop: The budget as a share.
        measure: What the drop is a drop of.
        verdict: On its drop, where it is one of several. Without it its own bound decides, which is right for an engine
            that was chosen before this data was seen.
    """
    if not _ran(candidate):
        return candidate
    refusals = [
        reason
        for reason in (
            _accuracy_refusal(candidate.accuracy, max_drop, measure, verdict),
            _latency_refusal(candidate) or _retimed_refusal(candidate),
        )
        if reason
    ]
    return replace(candidate, status="refused" if refusals else "accepted", reasons=(*candidate.reasons, *refusals))


def _ran(engine: EngineResult) -> bool:
    return engine.status not in ("failed", "unfinished")


def _could_ship(engine: EngineResult) -> bool:
    """Whether nothing but its drop is in the way; the drop itself has no say in it."""
    return _ran(engine) and engine.accuracy is not None and not _latency_refusal(engine)


def _accuracy_refusal(accuracy: Accuracy | None, max_drop: float, measure: Measure, verdict: Verdict | None) -> str:
    if accuracy is None:
        return f"Refused: its {measure} was not measured."
    drop = accuracy.drop
    if drop.high <= max_drop:
        return "" if verdict is None or verdict.passed else _one_of_several(accuracy, max_drop, measure, verdict)
    budget = f"the budget is {_points(max_drop)}"
    if drop.value > max_drop:
        lost = _points(drop.value, max_drop)
        bound = points_at_most(drop.high)
        return (
            f"Refused: it loses {lost} percentage points of {measure} on {accuracy.samples:,} samples "
            f"({_sure(drop)} bound {bound}), {budget}."
        )
    if accuracy.samples_needed is not None:
        return (
            f"Too few samples to decide: {accuracy.samples:,} of about {_about(accuracy.samples_needed):,} that are "
            f"needed. It may lose {points_at_most(drop.high, max_drop)} percentage points of {measure} "
            f"({_sure(drop)} bound; measured drop {_points(drop.value)}), {budget}.{_surest(accuracy, verdict)}"
        )
    return (
        f"Refused: it may lose {points_at_most(drop.high, max_drop)} percentage points of {measure} "
        f"({_sure(drop)} bound; measured drop {_points(drop.value)} on {accuracy.samples:,} samples), {budget}."
    )


def _one_of_several(accuracy: Accuracy, max_drop: float, measure: Measure, verdict: Verdict) -> str:
    """Why an engine is refused whose own bound is within the budget."""
    if verdict.ended_by:
        return (
            f"Not tested: engines that are fast enough are tested from the smallest difference from float to the "
            f"largest, until one is refused, and {verdict.ended_by} was. A later one could pass by luck."
        )
    return (
        f"Refused: a drop of at most {_points(max_drop)} percentage points of {measure} is "
        f"{_percent(accuracy.surest or 0.0)} sure on {accuracy.samples:,} samples. Of {verdict.among} "
        f"{ONE_OF_SEVERAL}, so {_percent(verdict.confidence)} is asked.{_surest(accuracy, verdict)}"
    )


def _surest(accuracy: Accuracy, verdict: Verdict | None) -> str:
    """At which confidence the drop would have been within the budget, as a sentence; empty where at none."""
    if accuracy.surest is None:
        return ""
    enough = asked_confidence(1 - (verdict.among if verdict else 1) * (1 - accuracy.surest))
    return f" With --confidence {enough} it would have been within." if enough else ""


def _latency_refusal(candidate: EngineResult) -> str:
    if candidate.latency is None:
        # Speed decides wherever it could be measured; an emulator's time is not a speed of the hardware.
        return "" if candidate.rung == "emulated" else "Refused: its latency was not measured."
    ratio = candidate.latency.ratio
    if ratio.high <= 1:
        # Beside busy programs engines wait on purpose.
        beside, latency = candidate.latency.beside, candidate.latency
        starved = "" if beside else starved_baseline(latency.busy, latency.baseline_busy)
        return f"Refused: {starved}." if starved else ""
    if ratio.low > 1:
        return f"Refused: {_latency(candidate)}."
    return f"Refused: not shown to be as fast as the baseline. It takes {_latency(candidate)}."


def _retimed_refusal(candidate: EngineResult) -> str:
    again = candidate.retimed
    if candidate.latency is None or again is None or again.high <= 1:
        return ""
    return (
        f"Refused: timed anew, it is not shown to be as fast as the baseline. It takes {_times(again)}; in the search "
        f"it took {_latency(candidate)}."
    )


def _winner(winner: EngineResult, accepted: int, max_drop: float, measure: Measure, verdict: Verdict) -> str:
    assert winner.accuracy is not None, "judge() accepts only what has an accuracy"
    drop = winner.accuracy.drop
    best = "fastest" if winner.latency else "first, in the target's order of preference,"
    which = "the only candidate accepted" if accepted == 1 else f"the {best} of {accepted} accepted candidates"
    speed = _latency(winner) if winner.latency else f"its latency was not measured (only {winner.rung})"
    held = ""
    if verdict.among > 1:
        held = f" As one of {verdict.among} it was held to {_percent(verdict.confidence)}."
    if winner.retimed is not None:
        held += f" Timed anew, it takes {_times(winner.retimed)}."
    return (
        f"{winner.name} is {which}: {speed}, and it loses at most {points_at_most(drop.high, max_drop)} percentage "
        f"points of {measure} ({_sure(drop)} bound; measured drop {_points(drop.value)} on "
        f"{winner.accuracy.samples:,} samples), the budget is {_points(max_drop)}.{held}"
    )


def _no_winner(judged: Sequence[EngineResult], baseline: str) -> str:
    others = sum(is_foreign(engine) for engine in judged)
    counts = (sum(engine.status == status for engine in judged) for status in ("refused", "failed", "unfinished"))
    refused, failed, unfinished = counts
    failures = f"{refused} refused, {failed - others} failed" + (f", {others} {NOT_HERE}" if others else "")
    if unfinished:
        engines = "an engine" if unfinished == 1 else f"{unfinished} engines"
        return (
            f"The baseline {baseline} is used until 'edgewright finish' has compared {engines} with it on the device "
            f"({failures})."
        )
    if not refused and not failed:
        return f"The baseline {baseline} ships: there was no other candidate."
    return f"The baseline {baseline} ships: no candidate was accepted ({failures})."


def measured_again(running: EngineResult, built: str, measure: Measure, data: str) -> str:
    """What the engine that runs does on other data than the choice saw, as a sentence with the figures of this data.

    Args:
        running: It, judged.
        built: Name of the engine that the build chose.
        measure: What the drop is a drop of.
        data: Name of the data.
    """
    which = f"{running.name} runs here"
    if running.name != built:
        which = f"{which}, as {built}, which the build chose, cannot run on this machine"
    if running.status == "baseline":
        return f"{which}. It is the float baseline itself."
    figures = []
    if running.rung == "measured" and running.latency:
        figures.append(f"it takes {_latency(running)}")
    if running.accuracy:
        drop = running.accuracy.drop
        figures.append(
            f"it loses at most {points_at_most(drop.high)} percentage points of {measure} ({_sure(drop)} bound; "
            f"measured drop {_points(drop.value)} on {running.accuracy.samples:,} samples)"
        )
    return f"{which}. On {data} {', and '.join(figures)}." if figures else f"{which}."


def _latency(engine: EngineResult) -> str:
    """Its latency over the baseline's; beside busy programs, that alone as well."""
    assert engine.latency is not None, "it was timed"
    words, beside = _times(engine.latency.ratio), engine.latency.beside
    if not beside:
        return words
    alone = f", {engine.alone.ratio.value:.2f} times without them" if engine.alone else ""
    return f"{words} beside {busy_words(beside)}{alone}"


def _times(ratio: Interval) -> str:
    return (
        f"{ratio.value:.2f} times the baseline latency ({100 * ratio.confidence:g} % interval "
        f"{span(ratio.low, ratio.high, 1, 2)})"
    )


def _sure(drop: Interval) -> str:
    return f"one-sided {100 * drop.confidence:g} %"


def _percent(confidence: float) -> str:
    """A confidence as a percentage, rounded down."""
    return f"{lower(100 * confidence, 2):g} %"


def _points(share: float, limit: float | None = None) -> str:
    """A share in percentage points, with as many digits as it takes to tell it from `limit`."""
    return f"{100 * share:z.1f}" if limit is None else apart(100 * share, 100 * limit, 1)


def _about(count: int) -> int:
    """A count rounded up to two significant digits: more would claim more than an estimate knows."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
