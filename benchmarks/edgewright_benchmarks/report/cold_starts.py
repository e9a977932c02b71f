"""Cold starts in a report: in words, and as bars whose parts follow one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from edgewright_benchmarks.costs import COLD_START_PARTS, ColdStart
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.report import svg, words
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.statistics.bounds import significant

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What every output says of these figures.
CONDITION: Final = "in fresh processes, with the files in the page cache"

_ROW: Final = 46
_HEAD: Final = 22
_FOOT: Final = 40
_NAME_LENGTH: Final = 30
# Neighbours differ in colour and in strength, so that they can be told apart in print as well.
_FILLS: Final = ((svg.INK, 0.75), (svg.SOFT, 0.35), (svg.ACCENT, 0.9), (svg.ACCENT, 0.45), (svg.INK, 0.45))


def cold_starts(result: Result) -> list[tuple[EngineResult, ColdStart]]:
    """Engines whose cold start was measured, in their order."""
    return [
        (engine, engine.cold_start)
        for engine in result.engines
        if engine.cold_start is not None and engine.rung == "measured"
    ]


def cold_start_words(start: ColdStart) -> str:
    """The whole with its interval, and the parts of the start in the middle.

    >>> from edgewright_benchmarks.measuring.cold_starts import cold_start_of
    >>> from edgewright_benchmarks.report.cold_starts import cold_start_words
    >>> from edgewright_runtime.responses import ColdStarted
    >>> started = ColdStarted(process=0.05, imports=0.2, open=0.01, compile=0.1, first_answer=0.01, whole=0.37)
    >>> cold_start_words(cold_start_of([started] * 6, 0.95)).partition(": ")[0]
    '370 ms (95 % interval 370 to 370 ms, 6 starts)'
    """
    whole, count = start.whole, len(start.readings)
    low, high = (significant(1000 * value) for value in (whole.low, whole.high))
    span = f"{100 * whole.confidence:.3g} % interval {low} to {high} ms, {count} starts" if count > 1 else "1 start"
    parts = ", ".join(
        f"{title} {significant(1000 * getattr(start.middle, part))}" for part, title in COLD_START_PARTS.items()
    )
    return f"{significant(1000 * whole.value)} ms ({span}): {parts}"


def cold_start_svg(result: Result, numbers: Mapping[str, int], name: str) -> str:
    """The chart as an SVG element; empty where no cold start was measured. `name` is unique in the page."""
    rows = cold_starts(result)
    if not rows:
        return ""
    height = _HEAD + _ROW * len(rows) + _FOOT
    with svg.drawing(height, name) as figure:
        box = (8 / svg.WIDTH, _FOOT / height, 324 / svg.WIDTH, _ROW * len(rows) / height)
        axes = figure.add_axes(box)
        longest = max(max(start.middle.whole, start.whole.high) for _, start in rows) * 1000
        axes.set_xlim(0, 1.1 * longest)
        axes.set_xlabel("From the start of the process, ms")
        axes.grid(visible=True, axis="x")
        axes.set_axisbelow(True)
        axes.set_ylim(len(rows), 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        for row, (engine, start) in enumerate(rows):
            label = f"{numbers[engine.name]}  {words.shortened(engine.name, _NAME_LENGTH)}"
            axes.text(0, row + 0.2, label, transform=axes.get_yaxis_transform(), va="center")
            _draw(axes, row, start)
        _name_parts(axes, 1 + 10 / (_ROW * len(rows)))
        spoken = [f"{numbers[engine.name]}, {engine.name}: {cold_start_words(start)}" for engine, start in rows]
        return svg.svg_from_figure(
            figure,
            name,
            f"Cold starts of {len(rows)} engines of {result.model}, in parts",
            f"{'; '.join(spoken)}.",
        )


def _draw(axes: Axes, row: int, start: ColdStart) -> None:
    left = 0.0
    for part, (colour, alpha) in zip(COLD_START_PARTS, _FILLS, strict=True):
        width = 1000 * getattr(start.middle, part)
        axes.barh(row + 0.65, width, height=0.42, left=left, color=colour, alpha=alpha)
        left += width
    axes.plot([1000 * start.whole.low, 1000 * start.whole.high], [row + 0.93] * 2, color=svg.INK, linewidth=1.2)


def _name_parts(axes: Axes, height: float) -> None:
    """The names of the parts above the bars, each behind a patch of its fill."""
    from matplotlib.patches import Rectangle

    place = 0.0
    for title, (colour, alpha) in zip(COLD_START_PARTS.values(), _FILLS, strict=True):
        patch = Rectangle(
            (place, height - 0.04), 0.025, 0.08, transform=axes.transAxes, color=colour, alpha=alpha, clip_on=False
        )
        axes.add_patch(patch)
        axes.text(place + 0.032, height, title, transform=axes.transAxes, va="center", fontsize=svg.TEXT - 1)
        place += 0.065 + 0.0185 * len(title)
