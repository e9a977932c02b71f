"""Which engine ships: judges every candidate by its bounds, and picks the fastest that passed.

    accepted if and only if  accuracy.drop.high <= max_drop  and  latency.ratio.high <= 1

Both are bounds and no point estimates: what is not shown does not count. Sentences say the numbers that decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgewright_benchmarks.judging.foreign_engines import NOT_HERE, is_foreign
from edgewright_benchmarks.result import Accuracy, EngineResult, Interval, Latency, Measure
from edgewright_benchmarks.statistics.bounds import apart, points_at_most, span
from edgewright_benchmarks.statistics.intervals import starved_baseline
from edgewright_targets import InputError


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
    judged = tuple(
        replace(engine, status="baseline")
        if engine.name == baseline
        else judge(engine, max_drop=max_drop, measure=measure)
        for engine in engines
    )
    accepted = [
        # Where no speed was measured, the order of the target's candidates decides.
        (engine.latency.ratio.value if engine.latency else 0.0, order)
        for order, engine in enumerate(judged)
        if engine.status == "accepted"
    ]
    if not accepted:
        return Choice(judged, baseline, _no_winner(judged, baseline))
    winner = judged[min(accepted)[1]]
    return Choice(judged, winner.name, _winner(winner, len(accepted), max_drop, measure))


def judge(candidate: EngineResult, *, max_drop: float, measure: Measure) -> EngineResult:
    """The candidate with status `accepted` or `refused` and the reasons added; one that never ran stays as it is."""
    if candidate.status in ("failed", "unfinished"):
        return candidate
    refusals = [
        reason
        for reason in (_accuracy_refusal(candidate.accuracy, max_drop, measure), _latency_refusal(candidate))
        if reason
    ]
    return replace(candidate, status="refused" if refusals else "accepted", reasons=(*candidate.reasons, *refusals))


def _accuracy_refusal(accuracy: Accuracy | None, max_drop: float, measure: Measure) -> str:
    if accuracy is None:
        return f"Refused: its {measure} was not measured."
    drop = accuracy.drop
    if drop.high <= max_drop:
        return ""
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
            f"({_sure(drop)} bound; measured drop {_points(drop.value)}), {budget}."
        )
    return (
        f"Refused: it may lose {points_at_most(drop.high, max_drop)} percentage points of {measure} "
        f"({_sure(drop)} bound; measured drop {_points(drop.value)} on {accuracy.samples:,} samples), {budget}."
    )


def _latency_refusal(candidate: EngineResult) -> str:
    if candidate.latency is None:
        # Speed decides wherever it could be measured; an emulator's time is not a speed of the hardware.
        return "" if candidate.rung == "emulated" else "Refused: its latency was not measured."
    ratio = candidate.latency.ratio
    if ratio.high <= 1:
        starved = starved_baseline(candidate.latency.busy, candidate.latency.baseline_busy)
        return f"Refused: {starved}." if starved else ""
    if ratio.low > 1:
        return f"Refused: {_times(candidate.latency)}."
    return f"Refused: not shown to be as fast as the baseline. It takes {_times(candidate.latency)}."


def _winner(winner: EngineResult, accepted: int, max_drop: float, measure: Measure) -> str:
    assert winner.accuracy is not None, "judge() accepts only what has an accuracy"
    drop = winner.accuracy.drop
    best = "fastest" if winner.latency else "first, in the target's order of preference,"
    which = "the only candidate accepted" if accepted == 1 else f"the {best} of {accepted} accepted candidates"
    speed = _times(winner.latency) if winner.latency else f"its latency was not measured (only {winner.rung})"
    return (
        f"{winner.name} is {which}: {speed}, and it loses at most {points_at_most(drop.high, max_drop)} percentage "
        f"points of {measure} ({_sure(drop)} bound; measured drop {_points(drop.value)} on "
        f"{winner.accuracy.samples:,} samples), the budget is {_points(max_drop)}."
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
        figures.append(f"it takes {_times(running.latency)}")
    if running.accuracy:
        drop = running.accuracy.drop
        figures.append(
            f"it loses at most {points_at_most(drop.high)} percentage points of {measure} ({_sure(drop)} bound; "
            f"measured drop {_points(drop.value)} on {running.accuracy.samples:,} samples)"
        )
    return f"{which}. On {data} {', and '.join(figures)}." if figures else f"{which}."


def _times(latency: Latency) -> str:
    ratio = latency.ratio
    return (
        f"{ratio.value:.2f} times the baseline latency ({100 * ratio.confidence:g} % interval "
        f"{span(ratio.low, ratio.high, 1, 2)})"
    )


def _sure(drop: Interval) -> str:
    return f"one-sided {100 * drop.confidence:g} %"


def _points(share: float, limit: float | None = None) -> str:
    """A share in percentage points, with as many digits as it takes to tell it from `limit`."""
    return f"{100 * share:z.1f}" if limit is None else apart(100 * share, 100 * limit, 1)


def _about(count: int) -> int:
    """A count rounded up to two significant digits: more would claim more than an estimate knows."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
