"""What a rule says of a change: fail, pass or undecided, by the interval and not by the estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.gate.change import FigureChange, end_texts
from edgewright_benchmarks.gate.figures import Figure, text_figure
from edgewright_benchmarks.gate.rules import Kind, Rule
from edgewright_benchmarks.statistics.percentiles import PERCENTILES
from edgewright_benchmarks.statistics.stability import fewest_rounds
from edgewright_targets import InputError

Verdict = Literal["pass", "fail", "undecided"]

# Beyond so many the answer is not "measure more" but "this limit cannot be decided".
_MOST: Final = 10**7


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """What one rule says.

    Attributes:
        rule: As it was written.
        figure: Name of its figure.
        verdict: `fail` where the whole interval is beyond the limit, `pass` where none of it is.
        compared: Whether the limit is of the value, of the difference, or of the relative change.
        value: Of what is compared, in the unit of results; of a relative change a share.
        low: Lower end of its interval.
        high: Upper end of its interval.
        limit: Beyond which it fails.
        sentence: All of it for people.
        needed: Where it is undecided: about how many rounds, loads, runs or samples in all would decide; None where
            more do not help.
        counted: What `needed` counts; empty where the figure is read once.
    """

    rule: str
    figure: str
    verdict: Verdict
    compared: Kind
    value: float
    low: float
    high: float
    limit: float
    sentence: str
    needed: int | None = None
    counted: str = ""


def judge_rule(rule: Rule, change: FigureChange, *, needed_samples: int | None = None) -> RuleResult:
    """What a rule says of a change.

    >>> from edgewright_benchmarks.gate.change import FigureChange
    >>> from edgewright_benchmarks.gate.figures import FIGURES
    >>> from edgewright_benchmarks.gate.rules import parse_rules
    >>> from edgewright_benchmarks.gate.verdict import judge_rule
    >>> from edgewright_benchmarks.engine_result import Interval
    >>> (rule,) = parse_rules("size > +5%", FIGURES)
    >>> one, other, more = (Interval(value, value, value) for value in (100.0, 110.0, 10.0))
    >>> change = FigureChange(figure="size", base=one, new=other, difference=more, change=Interval(0.1, 0.1, 0.1))
    >>> judge_rule(rule, change).verdict
    'fail'

    Args:
        rule: It.
        change: Of its figure.
        needed_samples: Where that is known better than by the width of the interval: how many samples would decide.
    """
    interval = _compared(rule, change)
    fewest = _fewest(rule.figure, change, interval.confidence)
    if change.count < fewest:
        verdict: Verdict = "undecided"
    elif (interval.low > rule.limit) if rule.above else (interval.high < rule.limit):
        verdict = "fail"
    elif (interval.high <= rule.limit) if rule.above else (interval.low >= rule.limit):
        verdict = "pass"
    else:
        verdict = "undecided"
    needed: int | None = None
    lasting = _lasting(rule, change, interval)
    moved = verdict == "undecided" and lasting.low < rule.limit < lasting.high
    if verdict == "undecided" and rule.figure.counted and not moved:
        needed = max(fewest, needed_samples or _needed(rule, change, interval, lasting) or 0)
        needed = needed if needed > change.count else None
    return RuleResult(
        rule=rule.text,
        figure=rule.figure.name,
        verdict=verdict,
        compared=rule.kind,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        limit=rule.limit,
        sentence=_sentence(rule, change, interval, verdict, needed, moved=moved),
        needed=needed,
        counted=rule.figure.counted,
    )


def _compared(rule: Rule, change: FigureChange) -> Interval:
    if rule.kind == "value":
        return change.new
    if rule.kind == "difference":
        return change.difference
    if change.change is None:
        raise InputError(
            f"The rule '{rule.text}' asks for a relative change, and the {rule.figure.name} of the base is zero.",
            hint="Write the change without '%'.",
        )
    return change.change


def _fewest(figure: Figure, change: FigureChange, confidence: float) -> int:
    """Rounds, loads or runs below which an interval would claim more than it knows.

    A percentile has an upper bound only where some calls can be expected beyond it: none of n calls is beyond the share
    q with a chance of q ** n.
    """
    name = figure.name
    if name in ("load", "cold_start", "energy") or text_figure(name) is not None or figure.counted == "runs":
        return 2
    if not change.calls:
        return 0
    fewest = fewest_rounds(confidence)
    share = PERCENTILES.get(name.removeprefix("latency."), 0) / 100
    if share <= 0.5:
        return fewest
    calls = math.log((1 - confidence) / 2) / math.log(share)
    return max(fewest, math.ceil(calls / (change.calls / change.count)))


def _lasting(rule: Rule, change: FigureChange, interval: Interval) -> Interval:
    """What is left of an interval however much is measured: the value, as far as the machine moved between two runs."""
    value = interval.value
    if rule.kind == "value" or change.shift <= 1:
        return Interval(value, value, value)
    scale = change.base.value if rule.kind == "difference" else 1.0
    return Interval(value, (value + scale) / change.shift - scale, (value + scale) * change.shift - scale)


def _needed(rule: Rule, change: FigureChange, interval: Interval, lasting: Interval) -> int | None:
    """About how many would bring the end of the interval to the limit: it comes nearer with the root of the number."""
    beyond = interval.value > rule.limit if rule.above else interval.value < rule.limit
    towards_low = beyond == rule.above
    reach = lasting.low - interval.low if towards_low else interval.high - lasting.high
    gap = abs((lasting.low if towards_low else lasting.high) - rule.limit)
    if not math.isfinite(reach) or gap <= 0:
        return None
    # One more than what was not enough, at least.
    found = max(change.count + 1, math.ceil(change.count * (reach / gap) ** 2))
    return found if found <= _MOST else None


def _sentence(
    rule: Rule, change: FigureChange, interval: Interval, verdict: Verdict, needed: int | None, *, moved: bool
) -> str:
    what = f"{rule.figure.title} {'is' if rule.kind == 'value' else 'changed by'} {rule.value_text(interval.value)}"
    exact = interval.low == interval.high
    kind = "the search left" if rule.figure.searched else f"{100 * interval.confidence:g} % interval"
    span = "" if exact else f" ({kind} {' to '.join(end_texts(interval, rule.value_text))})"
    side = "above" if rule.above else "below"
    limit = rule.limit_text()
    if verdict == "fail":
        return f"{what}{span}: {side} the limit of {limit}."
    if verdict == "pass":
        return f"{what}{span}: not {side} the limit of {limit}."
    counted = rule.figure.counted
    if rule.figure.searched:
        more = "It is what the searches left open: give the limit more room, or measure again."
    elif not counted:
        more = "It is read once a run, and more rounds do not help."
    elif moved:
        by = f"{100 * (change.shift - 1):.1f} %"
        more = f"The machine moved by {by} between the runs: no number of {counted} decides that."
    elif needed is None:
        more = f"It is too near to the limit for any number of {counted}."
    else:
        more = f"About {_about(needed):,} {counted} would decide; there are {change.count:,}."
    return f"{what}{span}: undecided, the limit is {limit}. {more}"


def _about(count: int) -> int:
    """Rounded up to two significant digits: more would claim more than an estimate knows."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
