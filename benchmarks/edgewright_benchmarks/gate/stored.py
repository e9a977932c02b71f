"""Two stored results compared: of one kind of machine, the same data, settings and model.

from edgewright_benchmarks.gate.stored import compare_results

compare_results(read_result("base.json"), read_result("new.json"), "latency.p50 > +5%").verdict
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.gate.change import Pairing
from edgewright_benchmarks.gate.comparison import GateResult, Side, verdict_of
from edgewright_benchmarks.gate.decided import changes_of, judged_rules
from edgewright_benchmarks.gate.figures import known_figures
from edgewright_benchmarks.gate.loaded import doubtful_scenarios
from edgewright_benchmarks.gate.rules import parse_rules
from edgewright_benchmarks.gate.unlike import UnlikeFact, other_facts, unlike_facts
from edgewright_benchmarks.result import Result
from edgewright_targets import InputError

# Below this two runs of the float baseline are as near as runs are.
_NEAR = 0.02
_NO_CONTROL = (
    "The float baseline is what runs, so nothing tells a slower machine from a slower package. Compare with --rerun "
    "where other programs may run."
)


def compare_results(
    base: Result,
    new: Result,
    rules: str | Sequence[str] = (),
    *,
    force: bool = False,
    confidence: float | None = None,
    sources: tuple[str, str] = ("base", "new"),
) -> GateResult:
    """Compare the engines that run in two stored results.

    Two runs differ by more than their rounds tell: the processor's frequency, the neighbours on a shared machine. Where
    both have the float baseline beside the engine, what it moved by between the runs is added to the intervals of times
    on both sides.

    Args:
        base: What is compared with.
        new: What is compared.
        rules: See `edgewright_benchmarks.gate.rules`.
        force: Compare although machines, data, settings or models differ.
        confidence: Of intervals; None is that of the new result.
        sources: What the two are called.

    Raises:
        InputError: A rule cannot be read, names a figure that a side does not have, or the results are not alike.
    """
    engines = base.engine(base.chosen), new.engine(new.chosen)
    _check_ran(engines, sources)
    known = known_figures(engines)
    parsed = parse_rules(rules, known) if rules else ()
    unlike = unlike_facts(base, new)
    if unlike and not force:
        raise _not_alike(unlike)
    sure = confidence or new.confidence
    shift, warnings = _shift(base, new)
    same_samples = base.data.digest == new.data.digest and base.data.samples == new.data.samples
    pairing = Pairing(rounds=False, samples=same_samples, shift=shift, confidence=sure)
    figures = changes_of(known, engines, parsed, pairing)
    judged = judged_rules(parsed, figures, engines)
    return GateResult(
        form="stored",
        verdict=verdict_of(judged),
        base=side_of(base, sources[0]),
        new=side_of(new, sources[1]),
        measure=new.measure,
        confidence=sure,
        figures=tuple(figures.values()),
        rules=judged,
        unlike=unlike,
        differing=other_facts(base, new),
        warnings=(
            *warnings,
            *doubtful_scenarios(engines, sources),
            *(f"{sources[1]}: {warning}" for warning in new.warnings),
        ),
        rounds=0,
        samples=base.data.samples,
    )


def side_of(result: Result, source: str) -> Side:
    """What a comparison says of one result."""
    engine = result.engine(result.chosen)
    return Side(
        source=source,
        model=result.model,
        engine=engine.name,
        precision=engine.precision,
        processor=result.machine.cpu,
        created=result.created,
    )


def _check_ran(engines: tuple[EngineResult, EngineResult], sources: tuple[str, str]) -> None:
    for engine, source in zip(engines, sources, strict=True):
        if engine.accuracy is None:
            reasons = " ".join(engine.reasons)
            raise InputError(f"'{source}' has no figures of the engine that runs, {engine.name}. {reasons}".rstrip())


def _not_alike(unlike: tuple[UnlikeFact, ...]) -> InputError:
    return InputError(
        f"The results are not alike, so their figures are not compared. {'; '.join(fact.words() for fact in unlike)}.",
        hint="Make a new baseline of this model, on this data and this kind of machine, with 'edgewright bench PACKAGE "
        "--data DATA --update-baseline BASE.json', compare packages with --rerun, or pass --force.",
    )


def _shift(base: Result, new: Result) -> tuple[float, tuple[str, ...]]:
    """By which factor the float baseline's own latency differs between the runs, and what is to be said about it."""
    one, other = (result.engine(result.baseline) for result in (base, new))
    if one.latency is None or other.latency is None or not one.latency.p50 or not other.latency.p50:
        return 1.0, ()
    if base.chosen == base.baseline or new.chosen == new.baseline:
        return 1.0, (_NO_CONTROL,)
    moved = other.latency.p50 / one.latency.p50
    shift = math.exp(abs(math.log(moved)))
    if shift <= 1 + _NEAR:
        return shift, ()
    sentence = (
        f"The float baseline took {abs(moved - 1):.0%} {'longer' if moved > 1 else 'less'} in the new run than in the "
        "base: the machine, its load or the libraries differ. Intervals of times are wider by that. Compare the "
        "packages with --rerun to be sure."
    )
    return shift, (sentence,)
