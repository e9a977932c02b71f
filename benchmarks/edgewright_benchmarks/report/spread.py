"""The chart of all raw times: how the calls of each engine are spread, one row an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from edgewright_benchmarks.engine_result import EngineResult, Latency
from edgewright_benchmarks.report import svg, words
from edgewright_benchmarks.report.facts import role, timed
from edgewright_benchmarks.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW: Final = 46
_FOOT: Final = 40
_BINS: Final = 150
_NAME_LENGTH: Final = 30


class Calls(Protocol):
    """What a row shows, in seconds: `Latency`, or that of a whole application."""

    @property
    def values(self) -> tuple[float, ...]:
        """All raw times."""

    @property
    def p50(self) -> float:
        """Their median."""

    @property
    def p95(self) -> float:
        """Their 95th percentile."""

    @property
    def p99(self) -> float:
        """Their 99th percentile."""


def spread_svg(result: Result, numbers: Mapping[str, int], name: str) -> str:
    """The chart as an SVG element; empty where nothing was measured. `name` is unique in the page."""
    rows = [(engine, latency) for engine in result.engines if (latency := timed(engine)) and latency.values]
    if not rows:
        return ""
    height = _ROW * len(rows) + _FOOT
    with svg.drawing(height, name) as figure:
        axes = figure.add_axes((8 / svg.WIDTH, _FOOT / height, 324 / svg.WIDTH, _ROW * len(rows) / height))
        svg.time_axis(
            axes,
            [1000 * seconds for _, latency in rows for seconds in (latency.p50, latency.p99)],
            "Latency of one call",
        )
        axes.set_ylim(len(rows), 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        for row, (engine, latency) in enumerate(rows):
            label = f"{numbers[engine.name]}  {words.shortened(engine.name, _NAME_LENGTH)}"
            axes.text(0, row + 0.2, label, transform=axes.get_yaxis_transform(), va="center")
            draw_calls(axes, row, latency, svg.ACCENT if engine.name == result.chosen else svg.SOFT)
        return svg.svg_from_figure(
            figure,
            name,
            f"How the latencies of {len(rows)} engines of {result.model} are spread",
            "; ".join(_spoken(result, numbers, engine, latency) for engine, latency in rows) + ".",
        )


def beyond_axis(result: Result) -> int:
    """How many calls took longer than the chart's axis reaches."""
    return beyond([latency for engine in result.engines if (latency := timed(engine)) and latency.values])


def beyond(latencies: Sequence[Calls]) -> int:
    """The same of rows that are drawn on one axis."""
    if not latencies:
        return 0
    limit = svg.time_limits([1000 * seconds for latency in latencies for seconds in (latency.p50, latency.p99)])[1]
    return sum(1 for latency in latencies for value in latency.values if value * 1000 > limit)


def _spoken(result: Result, numbers: Mapping[str, int], engine: EngineResult, latency: Latency) -> str:
    figures = ", ".join(
        f"{label} {words.milliseconds(value)}"
        for label, value in (("median", latency.p50), ("p95", latency.p95), ("p99", latency.p99))
    )
    return f"{numbers[engine.name]}, {engine.name}, {role(result, engine)}: {figures}"


def draw_calls(axes: Axes, row: int, latency: Calls, colour: str) -> None:
    """Draw how the calls of one row are spread, with their percentiles; `colour` is one of `svg`."""
    low, high = axes.get_xlim()
    values = np.asarray(latency.values) * 1000
    edges = np.geomspace(low, high, _BINS + 1) if axes.get_xscale() == "log" else np.linspace(low, high, _BINS + 1)
    counts, _ = np.histogram(values, edges)
    # A row is filled to the same height whatever its spread: the shape is the message, not the count.
    heights = row + 1 - 0.6 * counts / max(1, counts.max())
    axes.stairs(heights, edges, baseline=row + 1, fill=True, color=colour, alpha=0.45)
    axes.axhline(row + 1, color=svg.LINE, linewidth=0.8)
    axes.plot([latency.p50 * 1000] * 2, [row + 0.36, row + 1], color=colour, linewidth=2)
    for value in (latency.p95, latency.p99):
        axes.plot([value * 1000] * 2, [row + 0.72, row + 1], color=colour, linewidth=1.2)
