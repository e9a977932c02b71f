"""Which of several engines are shown to lose no more than the budget, so that none of them passes by luck.

Whoever tries forty engines at 95 % each finds one that passes by luck. Here the promise holds for all accepted engines
together, and so for the chosen one: with the stated confidence none of them loses more than the budget.

With a guide for every engine (`EngineResult.guide`) they are tested in a fixed sequence, each at the full confidence,
and the first that is refused ends it. For a wrong acceptance the first engine of the sequence that loses too much has
to pass, which happens once in twenty at 95 %; only then is anything behind it tested. The sequence comes from
calibration samples and latencies, and never from the samples that prove the drop. Without guides, Holm's procedure
shares the error among the engines.

Sources: W. Maurer, L. Hothorn, W. Lehmacher, Multiple comparisons in drug clinical trials and preclinical assays:
a-priori ordered hypotheses, Biometrie in der chemisch-pharmazeutischen Industrie 6 (1995), 3-18; A. Angelopoulos et
al., Learn then Test, arXiv:2110.01052 (2021); B. Laufer-Goldshtein et al., Efficiently Controlling Multiple Risks with
Pareto Testing, ICLR (2023); S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
Statistics 6 (1979), 65-70.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgewright_benchmarks.engine_result import Accuracy, EngineResult


@dataclass(frozen=True)
class Verdict:
    """What the test of one engine's drop says.

    Attributes:
        passed: The drop is shown to be within the budget.
        confidence: That it was held to, 0..1.
        among: Engines that shared the error; 1 where it was tested at the full confidence.
        ended_by: Name of the engine whose refusal ended the sequence before this one was tested; empty where it was.
    """

    passed: bool
    confidence: float
    among: int = 1
    ended_by: str = ""


def speed_order(engines: Sequence[EngineResult]) -> list[EngineResult]:
    """The engines, the one that ships first: the fastest; where no speed was measured, in the order given."""
    return sorted(engines, key=lambda engine: engine.latency.ratio.value if engine.latency else 0.0)


def judge_drops(engines: Sequence[EngineResult], max_drop: float, baseline: EngineResult) -> dict[str, Verdict]:
    """Judge the drops of engines that are fast enough; gives the verdict on each by its name.

    Args:
        engines: All that could ship, in the target's order; each has an accuracy.
        max_drop: The budget as a share.
        baseline: The float engine, whose provider every device has.
    """
    if len(engines) > 1 and all(engine.guide is not None for engine in engines):
        return _in_sequence(_sequence(engines, portable=baseline.provider), max_drop)
    return _shared(engines, max_drop, baseline.name)


def _sequence(engines: Sequence[EngineResult], portable: str) -> list[EngineResult]:
    """From the smallest difference from float to the largest, those last that could not ship anyway.

    An engine cannot ship where another one that is faster and nearer to float passed, and if that one did not pass, the
    sequence has ended. At the end it does no harm there, where it could have ended the sequence by bad luck.
    """
    nearest_first = sorted(speed_order(engines), key=lambda engine: engine.guide or 0.0)
    front: list[EngineResult] = []
    behind: list[EngineResult] = []
    place = {engine.name: index for index, engine in enumerate(speed_order(engines))}
    for engine in nearest_first:
        # A device without the provider of the faster one runs this one.
        rivals = [other for other in front if other.provider in (portable, engine.provider)]
        beaten = any(place[other.name] < place[engine.name] for other in rivals)
        (behind if beaten else front).append(engine)
    return [*front, *behind]


def _in_sequence(sequence: Sequence[EngineResult], max_drop: float) -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    ended_by = ""
    for engine in sequence:
        confidence = _accuracy(engine).drop.confidence
        passed = not ended_by and _accuracy(engine).drop.high <= max_drop
        found[engine.name] = Verdict(passed, confidence, ended_by=ended_by)
        if not passed:
            ended_by = ended_by or engine.name
    return found


def _shared(engines: Sequence[EngineResult], max_drop: float, baseline: str) -> dict[str, Verdict]:
    """Holm's procedure: the surest of m engines at 1 - error / m, the next at 1 - error / (m - 1), and so on.

    Engines that differ in their speed alone have one drop between them, and those of the baseline none.
    """
    first: dict[str, EngineResult] = {}
    for engine in engines:
        first.setdefault(_answers_of(engine), engine)
    exact = first.pop(baseline, None)
    surest_first = sorted(first.values(), key=_surest, reverse=True)
    found: dict[str, Verdict] = {}
    if exact is not None:
        found[baseline] = Verdict(passed=True, confidence=_accuracy(exact).drop.confidence)
    failed: Verdict | None = None
    for left, engine in zip(range(len(surest_first), 0, -1), surest_first, strict=True):
        drop = _accuracy(engine).drop
        confidence = 1 - (1 - drop.confidence) / left
        # The last one needs no more than its own bound.
        enough = drop.high <= max_drop if left == 1 else _surest(engine) >= confidence
        # The procedure ends at the first that fails; the others miss what that one was held to.
        verdict = failed or Verdict(enough, confidence, left)
        failed = None if verdict.passed else verdict
        found[_answers_of(engine)] = verdict
    return {engine.name: found[_answers_of(engine)] for engine in engines}


def _answers_of(engine: EngineResult) -> str:
    return engine.same_as or engine.name


def _surest(engine: EngineResult) -> float:
    return _accuracy(engine).surest or 0.0


def _accuracy(engine: EngineResult) -> Accuracy:
    assert engine.accuracy is not None, "an engine without an accuracy is refused before"
    return engine.accuracy
