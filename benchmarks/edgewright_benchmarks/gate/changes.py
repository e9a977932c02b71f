"""What changed between two engines, figure by figure, each with the interval that its readings allow."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import Final

from edgewright_benchmarks.accuracy import column_from_scores
from edgewright_benchmarks.engine_result import Accuracy, EngineResult, Interval, Latency
from edgewright_benchmarks.gate.change import FigureChange, Pairing, less_one, means_change
from edgewright_benchmarks.gate.figures import Figure, scenario_figure, text_figure
from edgewright_benchmarks.gate.loaded import missing_scenario, scenario_change, scenario_of
from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_benchmarks.statistics.percentiles import LatencyDraws, latency_draws
from edgewright_benchmarks.statistics.resampling import around
from edgewright_targets import InputError

# Peak memory is read once, so nothing tells how far readings lie apart: an allowance that was chosen, not measured.
MEMORY_SPREAD: Final = 0.02
# Figures that a bench reads where it is asked to.
_HINTS: Final = {
    "cold_start": "Measure with 'edgewright bench --cold-starts 6'.",
    "energy": "Measure with 'edgewright bench --energy' on a machine that has a sensor.",
}


def figure_change(figure: Figure, base: EngineResult, new: EngineResult, pairing: Pairing) -> FigureChange:
    """One figure of two engines.

    Raises:
        InputError: One of them does not have it.
    """
    for side, engine, other in (("base", base, new), ("new", new, base)):
        if not has_figure(figure, engine):
            raise _missing(figure.name, side, engine, other)
    if figure.of_calls:
        assert base.latency is not None
        assert new.latency is not None
        return _timed(figure.name, base.latency, new.latency, pairing)
    sides = _readings(figure.name, base), _readings(figure.name, new)
    if sides[0] and sides[1]:
        return means_change(figure.name, sides[0], sides[1], pairing)
    if scenario_figure(figure.name) is not None:
        return scenario_change(figure.name, base, new, pairing)
    if figure.is_metric:
        assert base.accuracy is not None
        assert new.accuracy is not None
        return _metric(figure, base.accuracy, new.accuracy, pairing)
    spread = MEMORY_SPREAD if figure.name == "memory" else 0.0
    return _read_once(figure.name, _single(figure.name, base), _single(figure.name, new), spread)


def _missing(name: str, side: str, engine: EngineResult, other: EngineResult) -> InputError:
    if scenario_figure(name) is not None:
        return missing_scenario(name, side, engine, other)
    return InputError(
        f"The {side} side has no '{name}': {engine.name} is {engine.rung}, with status {engine.status}.",
        hint=_hint(name),
    )


def _hint(name: str) -> str:
    """How a bench measures it; empty where it always does."""
    if text_figure(name) is not None:
        return (
            f"Measure with 'edgewright bench --prompt-lengths {name.partition('.')[2]}' a model that generates texts."
        )
    return _HINTS.get(name, "")


def has_figure(figure: Figure, engine: EngineResult) -> bool:
    """Whether an engine has it.

    Only what ran on the hardware has a latency; an emulator's time is not a latency of the target.
    """
    if figure.of_calls:
        return engine.latency is not None and engine.rung == "measured"
    if (readings := _readings(figure.name, engine)) is not None:
        return bool(readings) and engine.rung == "measured"
    if scenario_figure(figure.name) is not None:
        return scenario_of(figure.name, engine) is not None and engine.rung == "measured"
    if figure.is_metric:
        return engine.accuracy is not None and figure.name in engine.accuracy.metrics
    return bool(_single(figure.name, engine))


def _single(name: str, engine: EngineResult) -> float:
    value = engine.peak_memory_bytes if name == "memory" else engine.size_bytes
    return float(value or 0)


def _read_once(name: str, base: float, new: float, spread: float) -> FigureChange:
    ratio = Interval(new / base, new / base / (1 + spread), new / base * (1 + spread))
    return FigureChange(
        figure=name,
        base=Interval(base, base / (1 + spread), base * (1 + spread)),
        new=Interval(new, new / (1 + spread), new * (1 + spread)),
        difference=Interval(new - base, base * (ratio.low - 1), base * (ratio.high - 1)),
        change=less_one(ratio),
    )


def _timed(name: str, base: Latency, new: Latency, pairing: Pairing) -> FigureChange:
    key = name.removeprefix("latency.")
    # Two that took turns draw the same rounds; two runs are apart, and so are their draws.
    before, after = _draws(base.rounds, 0), _draws(new.rounds, 0 if pairing.rounds else 1)
    intervals = tuple(draws.interval(key, pairing.confidence) for draws in (before, after))
    if name == "latency.p50" and pairing.rounds:
        ratio = latency_ratio(new.rounds, base.rounds, confidence=pairing.confidence)
    else:
        value = after.values[key] / before.values[key]
        ratio = around(value, after.drawn[key] / before.drawn[key], confidence=pairing.confidence)
    ratio = replace(ratio, low=ratio.low / pairing.shift, high=ratio.high * pairing.shift)
    scale = intervals[0].value
    difference = replace(
        ratio, value=scale * (ratio.value - 1), low=scale * (ratio.low - 1), high=scale * (ratio.high - 1)
    )
    return FigureChange(
        figure=name,
        base=intervals[0],
        new=intervals[1],
        difference=difference,
        change=less_one(ratio),
        count=min(len(base.rounds), len(new.rounds)),
        calls=min(len(base.values), len(new.values)),
        paired=pairing.rounds,
        shift=pairing.shift,
    )


# Five figures come of one set of draws; of two sides, each may be drawn in two ways.
@functools.lru_cache(maxsize=4)
def _draws(rounds: tuple[tuple[float, ...], ...], seed: int) -> LatencyDraws:
    return latency_draws(rounds, seed=seed)


def _readings(name: str, engine: EngineResult) -> tuple[float, ...] | None:
    """Of a figure that is the mean of some, empty where there are none; None of other figures."""
    if name == "load":
        return engine.load_seconds
    if name == "cold_start":
        return _wholes(engine)
    if name == "energy":
        return _joules(engine)
    return _text_values(name, engine) if text_figure(name) is not None else None


def _text_values(name: str, engine: EngineResult) -> tuple[float, ...]:
    """One value a prompt; empty where no prompt of this length was read."""
    kind, _, length = name.partition(".")
    times = [one for speed in engine.text_speed if str(speed.prompt_tokens) == length for one in speed.readings]
    if kind == "first_token":
        return tuple(one.first_token for one in times)
    return tuple((one.new_tokens - 1) / one.following for one in times)


def _joules(engine: EngineResult) -> tuple[float, ...]:
    """Of a call, by the first sensor: machines that may be compared have the same ones."""
    return tuple(one.joules / one.calls for one in engine.energy[0].readings) if engine.energy else ()


def _wholes(engine: EngineResult) -> tuple[float, ...]:
    return tuple(one.whole for one in engine.cold_start.readings) if engine.cold_start else ()


def _metric(figure: Figure, base: Accuracy, new: Accuracy, pairing: Pairing) -> FigureChange:
    name = figure.name
    before, after = base.metrics[name], new.metrics[name]
    first = name == next(iter(base.metrics)) == next(iter(new.metrics))
    drop = paired_drop(base, new, pairing) if first and figure.higher_is_better else None
    if drop is not None:
        difference = Interval(-drop.value, -drop.high, -drop.low, drop.confidence)
    else:
        difference = _apart(before, after)
    scale = before.value
    change = (
        replace(difference, value=difference.value / scale, low=difference.low / scale, high=difference.high / scale)
        if scale > 0
        else None
    )
    return FigureChange(
        figure=name,
        base=before,
        new=after,
        difference=difference,
        change=change,
        count=min(base.samples, new.samples),
        paired=drop is not None,
    )


def paired_drop(base: Accuracy, new: Accuracy, pairing: Pairing) -> Interval | None:
    """The loss of the first metric, sample by sample, with one-sided bounds; None where samples cannot be paired."""
    if pairing.drop is not None:
        return pairing.drop
    before, after = base.scores, new.scores
    if not pairing.samples or before is None or after is None:
        return None
    if before.kind != after.kind or len(before.values) != len(after.values):
        return None
    column, theirs = column_from_scores(after), column_from_scores(before)
    return column.drop(theirs, pairing.confidence)  # type: ignore[arg-type] # both are of one kind


def _apart(base: Interval, new: Interval) -> Interval:
    """The difference of two figures that are independent, by the intervals of each.

    Source: G. Y. Zou and A. Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27
    (2008), 1693-1702; for shares it is Newcombe's hybrid score interval.
    """
    value = new.value - base.value
    return Interval(
        value,
        value - math.hypot(new.value - new.low, base.high - base.value),
        value + math.hypot(new.high - new.value, base.value - base.low),
        min(base.confidence, new.confidence),
    )
