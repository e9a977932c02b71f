"""All figures of a comparison and all its rules, with the samples that would decide those of accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgewright_benchmarks.accuracy import column_from_scores
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.gate.change import FigureChange, Pairing
from edgewright_benchmarks.gate.changes import figure_change, has_figure
from edgewright_benchmarks.gate.figures import Figure
from edgewright_benchmarks.gate.rules import Rule
from edgewright_benchmarks.gate.verdict import RuleResult, judge_rule
from edgewright_targets.findings import Findings

Engines = tuple[EngineResult, EngineResult]


def changes_of(
    known: Mapping[str, Figure], engines: Engines, rules: Sequence[Rule], pairing: Pairing
) -> dict[str, FigureChange]:
    """The change of every figure that both engines have, and of those that rules ask for.

    Raises:
        InputError: Rules ask for figures that one side does not have; each is said.
    """
    asked = {rule.figure.name: rule.figure for rule in rules}
    findings, changes = Findings(), {}
    for name, figure in {**known, **asked}.items():
        # What a rule asks for is missed in words; of the others those are shown that there are.
        if name in asked or all(has_figure(figure, engine) for engine in engines):
            with findings.noted():
                changes[name] = figure_change(figure, *engines, pairing)
    findings.raise_any()
    return changes


def judged_rules(
    rules: Sequence[Rule], changes: Mapping[str, FigureChange], engines: Engines
) -> tuple[RuleResult, ...]:
    """What each rule says of the change of its figure."""
    return tuple(
        judge_rule(
            rule,
            changes[rule.figure.name],
            needed_samples=_needed_samples(rule, changes[rule.figure.name], engines),
        )
        for rule in rules
    )


def _needed_samples(rule: Rule, change: FigureChange, engines: Engines) -> int | None:
    """Of a paired loss that looks to be within the limit: samples that would show it, by the bound of the loss itself.

    Bounds of few losses shrink faster than the root of the number, by which all else is reckoned.
    """
    before, after = (engine.accuracy.scores if engine.accuracy else None for engine in engines)
    if not change.paired or rule.above or rule.kind == "value" or before is None or after is None:
        return None
    budget = -rule.limit * (change.base.value if rule.kind == "change" else 1.0)
    column, theirs = column_from_scores(after), column_from_scores(before)
    return column.needed(theirs, budget, change.difference.confidence)  # type: ignore[arg-type] # both are of one kind
