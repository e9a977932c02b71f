"""Rules: when a comparison fails.

A rule is a figure, `>` or `<`, and a threshold. With a sign the threshold is a change from the base, with `%` a
relative one; without a sign it is a value of the new side:

    latency.p50 > +5%       fails where the new median is more than 5 % longer
    accuracy < -0.5         fails where more than half a point is lost
    latency.p99 > 20ms      fails where the new 99th percentile is above 20 ms
    size > +1MB             fails where a megabyte was added

    >>> from edgewright_benchmarks.gate.figures import FIGURES
    >>> from edgewright_benchmarks.gate.rules import parse_rules
    >>> [rule.limit for rule in parse_rules("latency.p50 > +5%, size > 20 MB", FIGURES)]
    [0.05, 20000000.0]
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from edgewright_benchmarks.gate.figures import FIGURES, POINTS, Figure, asked_figure, metric_figure
from edgewright_benchmarks.metrics import METRICS
from edgewright_targets import InputError
from edgewright_targets.errors import nearest
from edgewright_targets.findings import Findings

# value: of the new side; difference: new less base; change: that over the base.
Kind = Literal["value", "difference", "change"]

_SHOWN = 80
# Metrics of a user's own have the names of their functions, `package.module:function`.
_PARTS = re.compile(r"\s*([\w.@:-]+?)\s*([<>]=?|==?|!=)\s*(.*?)\s*")
_THRESHOLD = re.compile(r"([+-]?)\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z/%]*)")
_EXAMPLE = "Write figure, > or <, and a threshold, such as 'latency.p50 > +5%', 'accuracy < -0.5' or 'size > 20MB'."


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: it fails where `what` of the figure is beyond `limit`.

    Attributes:
        text: As it was written.
        figure: It.
        above: It fails above the limit; otherwise below it.
        kind: What is compared with the limit.
        limit: In the unit of results; of a change a share.
    """

    text: str
    figure: Figure
    above: bool
    kind: Kind
    limit: float

    def limit_text(self) -> str:
        """The limit for people, as it was written but in the unit that values are shown in."""
        return self.value_text(self.limit)

    def value_text(self, value: float) -> str:
        """A value of what the rule compares, for people."""
        if self.kind == "change":
            return f"{100 * value:+z.2f} %"
        if self.kind == "value" and self.figure.unit is POINTS:
            return f"{100 * value:z.2f} %"
        return self.figure.unit.text(value, signed=self.kind == "difference")


def parse_rules(texts: str | Sequence[str], known: Mapping[str, Figure]) -> tuple[Rule, ...]:
    """Rules from one text or several, each with commas between its rules.

    Args:
        texts: See the module.
        known: Figures that may be named, beside those of prompts and scenarios, whose names say what they are.

    Raises:
        InputError: A rule cannot be read or names an unknown figure; of several wrong rules each is said.
    """
    parts = _rule_texts(texts)
    if not parts:
        raise InputError("There is no rule.", hint=_EXAMPLE)
    findings, rules = Findings(), []
    for part in parts:
        with findings.noted():
            rules.append(_rule(part, known))
    findings.raise_any()
    return tuple(rules)


def check_rules(texts: str | Sequence[str]) -> None:
    """Check rules before there are results: their form, and that each names a figure that some result has.

    A metric of a user's own, `package.module:function`, may be any.

    Raises:
        InputError: As `parse_rules`.
    """
    named = (found[1] for part in _rule_texts(texts) if (found := _PARTS.fullmatch(part)))
    metrics = (*METRICS, *(name for name in named if ":" in name))
    parse_rules(texts, {**FIGURES, **{name: metric_figure(name) for name in metrics}})


def _rule_texts(texts: str | Sequence[str]) -> list[str]:
    joined = (texts,) if isinstance(texts, str) else texts
    parts = (part.strip() for text in joined for part in text.split(","))
    return list(filter(None, parts))


def _rule(text: str, known: Mapping[str, Figure]) -> Rule:
    shown = f"'{text[:_SHOWN]}'"
    found = _PARTS.fullmatch(text)
    if found is None:
        raise InputError(f"{shown} is not a rule.", hint=_EXAMPLE)
    name, operator, threshold = found.groups()
    figure = known.get(name) or asked_figure(name)
    if figure is None:
        raise InputError(f"The rule {shown} names the unknown figure '{name[:_SHOWN]}'.", hint=nearest(name, known))
    if operator not in "<>":
        raise InputError(f"The rule {shown} has '{operator}'; a rule has > or <.", hint=_EXAMPLE)
    kind, limit = _limit(shown, figure, threshold)
    above = operator == ">"
    if kind != "value" and (limit < 0 if above else limit > 0):
        other = f"{name} {operator} {'+' if above else '-'}{threshold[1:].strip()}"
        raise InputError(
            f"The rule {shown} would fail a package that is as good as before: a rule says when to fail.",
            hint=f"Did you mean '{other}'?",
        )
    return Rule(text=text, figure=figure, above=above, kind=kind, limit=limit)


def _limit(shown: str, figure: Figure, text: str) -> tuple[Kind, float]:
    found = _THRESHOLD.fullmatch(text)
    factors = figure.unit.factors
    units = ", ".join(f"'{unit}'" for unit in (*filter(None, factors), "%"))
    alone = " or none" if "" in factors else ""
    if found is None or not math.isfinite(float(found[2])):
        raise InputError(
            f"The threshold of the rule {shown} is not a number with a unit ({units}{alone}).", hint=_EXAMPLE
        )
    sign, number, unit = found.groups()
    value = float(number) * (-1 if sign == "-" else 1)
    if unit == "%":
        if sign:
            return "change", value / 100
        if figure.unit is POINTS:
            return "value", value / 100
        raise InputError(
            f"The rule {shown} has a percentage without a sign.", hint=f"Write '+{number}%' for a change from the base."
        )
    if unit not in factors:
        raise InputError(
            f"The rule {shown} has {f'the unit {unit!r}' if unit else 'no unit'}; {figure.name} takes {units}{alone}."
        )
    return "difference" if sign else "value", value * factors[unit]
