"""The charts of an application: what each step takes of a mean call, and how the calls are spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgewright_benchmarks.applications.whole_result import StepFigures, WholeResult
from edgewright_benchmarks.report import svg, words
from edgewright_benchmarks.report.spread import draw_calls

_ROW: Final = 34
_ONE_ROW: Final = 62
_FOOT: Final = 40
_NAME_LENGTH: Final = 24
# More bars would not fit on a screen; those that take least are drawn as one.
_MOST_BARS: Final = 12


@dataclass(frozen=True)
class Bar:
    """A bar of a mean call: its name for people, its share of the call (0..1), and whether it is the longest."""

    name: str
    share: float
    longest: bool = False


def bars(result: WholeResult) -> list[Bar]:
    """The steps that ran in timed calls, in their order, and what is left between them."""
    ran = [step for step in result.steps if step.share > 0]
    ranked = sorted(ran, key=lambda step: step.share, reverse=True)
    rest = ranked[_MOST_BARS - 1 :] if len(ran) > _MOST_BARS else []
    found = [Bar(_name(step), step.share, step is ranked[0]) for step in ran if step not in rest]
    if rest:
        found.append(Bar(f"{len(rest)} other steps", sum(step.share for step in rest)))
    between = 1 - sum(step.share for step in ran)
    return [*found, Bar("between the steps", max(0.0, between))]


def _name(step: StepFigures) -> str:
    return words.shortened(step.name, _NAME_LENGTH)


def step_shares_svg(result: WholeResult, name: str) -> str:
    """A mean call as bars that follow one another, as an SVG element; `name` is unique in the page."""
    rows, mean = bars(result), 1000 * result.latency.mean
    height = _ROW * len(rows) + _FOOT
    with svg.drawing(height, name) as figure:
        axes = figure.add_axes((8 / svg.WIDTH, _FOOT / height, 324 / svg.WIDTH, _ROW * len(rows) / height))
        svg.time_axis(axes, [mean], "From the beginning of a mean call")
        axes.set_ylim(len(rows), 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        left = 0.0
        for row, bar in enumerate(rows):
            axes.text(0, row + 0.24, _label(result, bar), transform=axes.get_yaxis_transform(), va="center")
            colour = svg.ACCENT if bar.longest else svg.SOFT
            axes.barh(row + 0.7, bar.share * mean, height=0.36, left=left, color=colour, alpha=0.75)
            left += bar.share * mean
        return svg.svg_from_figure(
            figure,
            name,
            f"What each step of {result.name} takes of a mean call of {words.milliseconds(result.latency.mean)}",
            "; ".join(_label(result, bar) for bar in rows) + ".",
        )


def _label(result: WholeResult, bar: Bar) -> str:
    return f"{bar.name}  {100 * bar.share:.1f}%, {words.milliseconds(bar.share * result.latency.mean)}"


def whole_spread_svg(result: WholeResult, name: str) -> str:
    """How the calls of the whole are spread, as an SVG element; `name` is unique in the page."""
    latency, height = result.latency, _ONE_ROW + _FOOT
    with svg.drawing(height, name) as figure:
        axes = figure.add_axes((8 / svg.WIDTH, _FOOT / height, 324 / svg.WIDTH, _ONE_ROW / height))
        svg.time_axis(axes, [1000 * latency.p50, 1000 * latency.p99], "Latency of one call")
        axes.set_ylim(1, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        draw_calls(axes, 0, latency, svg.ACCENT)
        figures = [f"{label} {words.milliseconds(getattr(latency, label))}" for label in ("p50", "p95", "p99")]
        return svg.svg_from_figure(
            figure, name, f"How the latencies of {result.name} are spread", f"{', '.join(figures)}."
        )
