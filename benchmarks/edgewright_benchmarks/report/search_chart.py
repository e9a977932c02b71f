"""The chart of a search: every engine on the plane of latency and accuracy, the front, and the path to the winner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgewright_benchmarks.report import svg, words
from edgewright_benchmarks.report.facts import answered, first_metric, role, timed
from edgewright_benchmarks.report.labels import place
from edgewright_benchmarks.report.points import scale_end
from edgewright_benchmarks.report.scatter import COLOURS, SHAPES, lower_first, metric_words
from edgewright_benchmarks.report.search import front
from edgewright_benchmarks.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT: Final = 262
# Engines far slower than float would press the others into a corner; they sit on the right edge.
_SLOWEST: Final = 2.0


def search_svg(result: Result, name: str) -> str:
    """The chart as an SVG element; empty without a search, and where fewer than two engines have a point.

    Latencies are shown against float: engines of a search are timed in several measurements, each with the float engine
    in it, so that only ratios can be compared.
    """
    places = _places(result)
    if result.search is None or result.baseline not in places or len(places) < 2:
        return ""
    base = places[result.baseline][1]
    metric = metric_words(result)
    floor = scale_end(base, result.max_drop)
    drawn = {key: (min(x, _SLOWEST), max(y, floor)) for key, (x, y) in places.items()}
    roles = {key: role(result, result.engine(key)) for key in places}
    path = [key for key in result.search.path if key in drawn]
    with svg.drawing(_HEIGHT, name) as figure:
        axes = figure.add_axes((44 / svg.WIDTH, 40 / _HEIGHT, 244 / svg.WIDTH, 196 / _HEIGHT))
        axes.set_title(f"{metric}, %", loc="left", fontsize=svg.TEXT, color=svg.SOFT, pad=10)
        _scales(axes, drawn, base - result.max_drop)
        axes.axhline(100 * (base - result.max_drop), color=svg.BAD, linewidth=1.2, linestyle=(0, (4, 3)))
        axes.text(
            1.02,
            100 * (base - result.max_drop),
            "budget",
            transform=axes.get_yaxis_transform(),
            color=svg.BAD,
            va="center",
        )
        passed = [drawn[key] for key in drawn if roles[key] in ("baseline", "accepted", "chosen")]
        best = front(passed)
        axes.step([x for x, _ in best], [100 * y for _, y in best], where="post", color=svg.SOFT, linewidth=1.0)
        if len(path) > 1:
            axes.plot(
                [drawn[key][0] for key in path], [100 * drawn[key][1] for key in path], color=svg.ACCENT, linewidth=1.6
            )
        for key, (x, y) in sorted(drawn.items(), key=lambda item: roles[item[0]] == "chosen"):
            _mark(axes, roles[key], x, y, clipped=(x, y) != places[key])
        _steps(axes, [drawn[key] for key in path], list(drawn.values()))
        spoken = "; ".join(
            f"{key}, {roles[key]}: {x:.2f} of the float latency, {words.percent(y)}" for key, (x, y) in places.items()
        )
        return svg.svg_from_figure(
            figure,
            name,
            f"Latency against {lower_first(metric)} of all {len(places)} engines that the search measured",
            f"{spoken}. Budget: not below {words.percent(base - result.max_drop)}.",
        )


def _places(result: Result) -> dict[str, tuple[float, float]]:
    """Engine to its latency against float and the first metric, where both were measured."""
    found = {}
    for engine in result.engines:
        latency, accuracy = timed(engine), answered(engine)
        share = first_metric(accuracy) if accuracy else None
        if latency is not None and share is not None and role(result, engine) in SHAPES:
            found[engine.name] = (latency.ratio.value, share.value)
    return found


def _scales(axes: Axes, drawn: dict[str, tuple[float, float]], limit: float) -> None:
    from matplotlib.ticker import MaxNLocator

    times = [x for x, _ in drawn.values()]
    shares = [limit, *(y for _, y in drawn.values())]
    room = max(max(shares) - min(shares), 0.002) * 0.1
    axes.set_ylim(100 * (min(shares) - room), 100 * (max(shares) + room))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_xlim(0, max(times) * 1.12)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.set_xlabel("Latency against float")
    axes.grid(visible=True)
    axes.set_axisbelow(True)


def _mark(axes: Axes, kind: str, x: float, y: float, *, clipped: bool) -> None:
    colour = COLOURS[kind]
    axes.plot(
        [x],
        [100 * y],
        "v" if clipped else SHAPES[kind],
        color=colour,
        markersize=8 if kind == "chosen" else 5,
        markeredgewidth=1.4,
        markerfacecolor=colour if kind in ("chosen", "refused") else svg.PAPER,
        clip_on=False,
    )


def _steps(axes: Axes, path: list[tuple[float, float]], marks: list[tuple[float, float]]) -> None:
    """Number the engines of the path, beside their marks."""
    if len(path) < 2:
        return

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x, y = axes.transData.transform((point[0], 100 * point[1]))
        return float(x), float(y)

    box = axes.bbox
    points = [at(point) for point in path]
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in map(at, marks)]
    room = (box.x0 + 1, box.y0 + 1, box.x1 + 8, box.y1 + 8)
    texts = [str(step) for step in range(1, len(path) + 1)]
    for (x, y), here, text, found in zip(points, path, texts, place(points, texts, taken, room), strict=True):
        axes.annotate(
            text,
            (here[0], 100 * here[1]),
            ((found[0] + found[2]) / 2 - x, (found[1] + found[3]) / 2 - y),
            textcoords="offset points",
            ha="center",
            va="center_baseline",
            weight="bold",
            color=svg.ACCENT,
        )
