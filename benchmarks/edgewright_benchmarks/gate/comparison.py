"""A comparison: both sides, what changed, what the rules say of it. Written as JSON in a published form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from edgewright_benchmarks.gate.change import FigureChange
from edgewright_benchmarks.gate.unlike import UnlikeFact
from edgewright_benchmarks.gate.verdict import RuleResult, Verdict

# As with results: the number is raised where readers of the old form would misread the new one.
SCHEMA: Final = "edgewright.comparison/1"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a comparison.

    Attributes:
        source: File or package, as it was named.
        model: Name of the model.
        engine: Name of the engine that is compared: the one that runs.
        precision: Of the engine.
        processor: Of the machine.
        created: When it was measured; UTC, ISO 8601.
    """

    source: str
    model: str
    engine: str
    precision: str
    processor: str
    created: str


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """Two measurements compared.

    Attributes:
        form: `stored`: two results of two runs; `rerun`: both packages side by side in one run.
        verdict: `fail` where a rule fails, else `undecided` where one is, else `pass`; without rules `pass`.
        base: What is compared with.
        new: What is compared.
        measure: Whether the metrics are accuracy, or agreement with float models.
        confidence: Of intervals.
        figures: What changed, for every figure that both sides have.
        rules: What each rule says, in the order given.
        unlike: Facts that differ although they should not; there are some only where it was forced.
        differing: Facts that differ and may.
        warnings: What makes the figures less sure, and what to do about it.
        rounds: Rounds that both sides took turns in; 0 in the stored form.
        samples: Samples of the base.
        rules_from: Where the rules are from: `command line`, or a build file with the line; empty without rules.
    """

    form: Literal["stored", "rerun"]
    verdict: Verdict
    base: Side
    new: Side
    measure: str
    confidence: float
    figures: tuple[FigureChange, ...]
    rules: tuple[RuleResult, ...]
    unlike: tuple[UnlikeFact, ...]
    differing: tuple[UnlikeFact, ...]
    warnings: tuple[str, ...]
    rounds: int
    samples: int
    rules_from: str = ""
    schema: str = SCHEMA


def verdict_of(rules: tuple[RuleResult, ...]) -> Verdict:
    """The verdict of all rules together."""
    found = {rule.verdict for rule in rules}
    return "fail" if "fail" in found else "undecided" if "undecided" in found else "pass"
