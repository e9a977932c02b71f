"""A comparison as rows of words, once for the terminal and for Markdown."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.gate.change import FigureChange, end_texts
from edgewright_benchmarks.gate.comparison import GateResult
from edgewright_benchmarks.gate.figures import POINTS, Figure, figure_named


@dataclass(frozen=True)
class ChangeRow:
    """A figure in words: its title, of the base, of the new side, what changed, and the interval of that."""

    cells: tuple[str, str, str, str, str]


def heading(found: GateResult) -> str:
    """What is compared, in a sentence."""
    base, new = found.base, found.new
    how = (
        f"side by side in {found.rounds} rounds of one run"
        if found.form == "rerun"
        else f"of two runs ({base.created} and {new.created})"
    )
    engines = base.engine if base.engine == new.engine else f"{base.engine} and {new.engine}"
    return (
        f"{new.model}: {new.source} against {base.source}, {how} on {new.processor}; {engines}. "
        f"{100 * found.confidence:g} % intervals."
    )


def rules_origin(found: GateResult) -> str:
    """Where the rules are from, in a sentence; empty where that is not known."""
    place = "the command line" if found.rules_from == "command line" else found.rules_from
    return f"Rules from {place}:" if place else ""


def change_rows(found: GateResult) -> list[ChangeRow]:
    """All figures that both sides have, in words.

    Shares are shown with their change in points; all else with the relative change.
    """
    return [_row(change, figure_named(change.figure), found) for change in found.figures]


def _row(change: FigureChange, figure: Figure, found: GateResult) -> ChangeRow:
    title = figure.title
    if figure.is_metric and found.measure == "agreement":
        title = f"{title} with float" if found.form == "stored" else f"{title} with the base"
    if figure.unit is POINTS or change.change is None:
        value = figure.unit.text(change.difference.value, signed=True)
        ends = end_texts(change.difference, lambda one: figure.unit.text(one, signed=True))
    else:
        value, ends = _percent(change.change.value), end_texts(change.change, _percent)
    return ChangeRow(
        (
            title,
            _value(figure, change.base),
            _value(figure, change.new),
            value,
            _without_width(figure, change) or _span(*ends),
        )
    )


def _percent(value: float) -> str:
    return f"{100 * value:+z.1f} %"


def _without_width(figure: Figure, change: FigureChange) -> str:
    """Why an interval has no width; empty where it has one."""
    if change.difference.low != change.difference.high:
        return ""
    return "one reading" if figure.counted and change.count == 1 else "exact"


def _span(low: str, high: str) -> str:
    """Both ends with one unit: `-4.7 to +5.7 %`."""
    number, _, unit = low.rpartition(" ")
    return f"{number if number and high.endswith(f' {unit}') else low} to {high}"


def _value(figure: Figure, side: Interval) -> str:
    return f"{100 * side.value:.2f} %" if figure.unit is POINTS else figure.unit.text(side.value)


# What a sentence about two results says beside the first metric.
_SHORT = ("latency.p50", "size")


def change_sentence(found: GateResult) -> str:
    """The median, the size and the first metric in words: `Latency p50 0.884 ms (was 0.902 ms), ...`."""
    changes = {change.figure: change for change in found.figures}
    metric = next((name for name in changes if figure_named(name).is_metric), None)
    shown = [name for name in (*_SHORT, metric) if name in changes]
    rows = (_row(changes[name], figure_named(name), found) for name in shown if name)
    return ", ".join(f"{title} {new} (was {base})" for title, base, new, *_ in (row.cells for row in rows))
