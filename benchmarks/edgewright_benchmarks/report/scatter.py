"""The chart that shows the choice: latency against accuracy of all candidates, with the baseline and the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from edgewright_benchmarks.metrics import metric_title
from edgewright_benchmarks.report import svg, words
from edgewright_benchmarks.report.labels import place
from edgewright_benchmarks.report.points import Point, points
from edgewright_benchmarks.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The shapes of words.MARKERS as matplotlib names them.
SHAPES: Final = {"baseline": "s", "accepted": "o", "chosen": "D", "refused": "x"}
COLOURS: Final = {"baseline": svg.INK, "accepted": svg.INK, "chosen": svg.ACCENT, "refused": svg.BAD}

_HEIGHT: Final = 262


def scatter_svg(result: Result, numbers: Mapping[str, int], name: str) -> str:
    """The chart as an SVG element; empty where the baseline has no point. `name` is unique in the page."""
    shown = points(result, numbers)
    if not shown:
        return ""
    # points() gives none without the baseline's.
    base = next(point.share.value for point in shown if point.name == result.baseline)
    metric = metric_words(result)
    with svg.drawing(_HEIGHT, name) as figure:
        axes = figure.add_axes((44 / svg.WIDTH, 40 / _HEIGHT, 244 / svg.WIDTH, 196 / _HEIGHT))
        axes.set_title(f"{metric}, %", loc="left", fontsize=svg.TEXT, color=svg.SOFT, pad=10)
        seconds = [seconds for point in shown for seconds in (point.seconds.value, point.seconds.high)]
        svg.time_axis(axes, [1000 * value for value in seconds], "Median latency")
        _share_axis(axes, shown, base - result.max_drop)
        _line(axes, base, "baseline", svg.SOFT)
        _line(axes, base - result.max_drop, "budget", svg.BAD)
        _name_lines(axes, base, base - result.max_drop)
        # The chosen one last, so that no other hides it.
        for point in sorted(shown, key=lambda point: point.role == "chosen"):
            _draw(axes, point)
        _number(axes, shown, (base, base - result.max_drop))
        return svg.svg_from_figure(
            figure,
            name,
            f"Median latency against {lower_first(metric)}, {len(shown)} engines of {result.model}",
            f"{'; '.join(map(_spoken, shown))}. Budget: not below {words.percent(base - result.max_drop)}.",
        )


def metric_words(result: Result) -> str:
    """The title of the metric that the budget is about."""
    accuracy = result.engine(result.baseline).accuracy
    name = next(iter(accuracy.metrics)) if accuracy else result.measure
    return metric_title(name, result.measure, first=True)


def lower_first(text: str) -> str:
    """The text as it stands inside a sentence."""
    return text[:1].lower() + text[1:]


def _spoken(point: Point) -> str:
    where = f"{words.milliseconds(point.seconds.value)}, {words.percent(point.share.value)}"
    return f"{point.number}, {point.name}, {point.role}: {where}"


def _height(point: Point) -> float:
    return max(point.share.value, point.floor) * 100


def _share_axis(axes: Axes, shown: Sequence[Point], limit: float) -> None:
    from matplotlib.ticker import MaxNLocator

    bottom = min([limit, *(max(point.share.low, point.floor) for point in shown)])
    top = max(max(point.share.value, point.share.high) for point in shown)
    room = max(top - bottom, 0.002) * 0.1
    axes.set_ylim((bottom - room) * 100, (top + room) * 100)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _line(axes: Axes, share: float, name: str, colour: str) -> None:
    style = (0, (4, 3)) if name == "budget" else "-"
    axes.axhline(share * 100, color=colour, linewidth=1.2, linestyle=style)


def _name_lines(axes: Axes, base: float, limit: float) -> None:
    # Right of the axes, where no point can be; moved apart where the lines are closer than the text is high.
    low, high = axes.get_ylim()
    height = axes.bbox.height
    upper, lower = ((share * 100 - low) / (high - low) * height for share in (base, limit))
    push = max(0.0, 12 - (upper - lower)) / 2
    for text, at, colour in (("baseline", upper + push, svg.SOFT), ("budget", lower - push, svg.BAD)):
        axes.text(1.02, at / height, text, transform=axes.transAxes, color=colour, va="center")


def _draw(axes: Axes, point: Point) -> None:
    colour, at = COLOURS[point.role], (point.seconds.value * 1000, _height(point))
    if point.role != "baseline":
        axes.plot([point.seconds.low * 1000, point.seconds.high * 1000], [at[1]] * 2, color=colour, linewidth=1.2)
        if not point.below_scale:
            axes.plot([at[0]] * 2, [point.share.low * 100, point.share.high * 100], color=colour, linewidth=1.2)
    axes.plot(
        [at[0]],
        [at[1]],
        "v" if point.below_scale else SHAPES[point.role],
        color=colour,
        markersize=7,
        markeredgewidth=1.8,
        # Open, but opaque: no line shows through.
        markerfacecolor=colour if point.role in ("chosen", "refused") else svg.PAPER,
        clip_on=False,
    )


def _number(axes: Axes, shown: Sequence[Point], lines: tuple[float, float]) -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        found = axes.transData.transform((x, y))
        return float(found[0]), float(found[1])

    box = axes.bbox
    places = [at(point.seconds.value * 1000, _height(point)) for point in shown]
    heights = [at(shown[0].seconds.value * 1000, share * 100)[1] for share in lines]
    taken = [(box.x0, y - 1, box.x1, y + 1) for y in heights]
    for point, (x, _) in zip(shown, places, strict=True):
        taken.append((x - 1, at(1, point.share.low * 100)[1], x + 1, at(1, point.share.high * 100)[1]))
    room = (box.x0 + 1, box.y0 + 1, box.x1 + 8, box.y1 + 8)
    texts = [str(point.number) for point in shown]
    for point, (x, y), found in zip(shown, places, place(places, texts, taken, room), strict=True):
        axes.annotate(
            str(point.number),
            (point.seconds.value * 1000, _height(point)),
            ((found[0] + found[2]) / 2 - x, (found[1] + found[3]) / 2 - y),
            textcoords="offset points",
            ha="center",
            va="center_baseline",
            weight="bold",
            color=COLOURS[point.role],
        )
