"""The candidates as points of time and accuracy, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgewright_benchmarks.engine_result import EngineResult, Interval
from edgewright_benchmarks.report.facts import answered, first_metric, role, timed
from edgewright_benchmarks.result import Result

# A candidate that lost tens of points would press the interesting ones into one line: the scale ends at this many
# budgets (at least so deep a share) below the baseline, and what lies deeper sits on its edge as a triangle.
_DEPTH_BUDGETS: Final = 6
_DEPTH_LEAST: Final = 0.03


@dataclass(frozen=True, kw_only=True)
class Point:
    """One engine: seconds and accuracy with the intervals that decided about it.

    Attributes:
        number: The engine's number in the report.
        name: The engine's name.
        role: Status, or `chosen`.
        seconds: Median latency. The interval is that of the ratio to the baseline, as a relative error of this median.
        share: The first metric. The interval is that of the drop against the baseline, paired by sample: a point
            whose `share.low` is under the budget line is over the budget.
        floor: The lowest share that the chart shows.
    """

    number: int
    name: str
    role: str
    seconds: Interval
    share: Interval
    floor: float

    @property
    def below_scale(self) -> bool:
        """Whether it sits on the lower edge of the chart because it lies deeper."""
        return self.share.value < self.floor


def points(result: Result, numbers: Mapping[str, int]) -> list[Point]:
    """A point for each engine whose time and accuracy are known; none where those of the baseline are not."""
    base = _share(result.engine(result.baseline))
    if base is None:
        return []
    floor = scale_end(base, result.max_drop)
    found = (_point(result, engine, numbers[engine.name], base, floor) for engine in result.engines)
    return [point for point in found if point is not None]


def scale_end(base: float, max_drop: float) -> float:
    """The lowest share that a chart shows, where the baseline has the share `base`."""
    return base - max(_DEPTH_BUDGETS * max_drop, _DEPTH_LEAST)


def _share(engine: EngineResult) -> float | None:
    accuracy = answered(engine)
    metric = first_metric(accuracy) if accuracy else None
    return metric.value if metric and timed(engine) else None


def _point(result: Result, engine: EngineResult, number: int, base: float, floor: float) -> Point | None:
    latency, accuracy, share = timed(engine), answered(engine), _share(engine)
    if latency is None or accuracy is None or share is None:
        return None
    ratio, drop = latency.ratio, accuracy.drop
    float_latency = timed(result.engine(result.baseline))
    middle = latency.p50
    if result.search is not None and float_latency is not None:
        # A search times its engines in several measurements, each with the float engine in it: only ratios compare.
        middle = float_latency.p50 * ratio.value
    return Point(
        number=number,
        name=engine.name,
        role=role(result, engine),
        seconds=Interval(
            middle,
            middle * ratio.low / ratio.value,
            middle * ratio.high / ratio.value,
            ratio.confidence,
        ),
        # Rounding of sums must not turn the whisker around.
        share=Interval(share, min(share, base - drop.high), max(share, base - drop.low), drop.confidence),
        floor=floor,
    )
