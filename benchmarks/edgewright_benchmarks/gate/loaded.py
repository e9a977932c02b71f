"""Figures of scenarios: what an engine keeps up with under a load, on both sides."""

from __future__ import annotations

import math
from collections.abc import Iterable

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.gate.change import FigureChange, Pairing, less_one, means_change
from edgewright_benchmarks.gate.figures import scenario_point
from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.scenario_result import ScenarioResult
from edgewright_benchmarks.scenarios.words import scenario_notes
from edgewright_benchmarks.statistics.bounds import significant
from edgewright_benchmarks.statistics.log_means import WIDEST
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

# In a hint, where no result says which limit was meant.
_LIMIT = "20ms"


def scenario_of(name: str, engine: EngineResult) -> ScenarioResult | None:
    """The scenario whose figure has this name, where it was run and can be compared."""
    return next((one for one in engine.scenarios if one.figure_name == name and _comparable(one)), None)


def _comparable(one: ScenarioResult) -> bool:
    """A server that keeps no rate has the rate zero; runs without a figure have nothing."""
    return one.scenario == "server" or one.figure is not None


def scenario_change(name: str, base: EngineResult, new: EngineResult, pairing: Pairing) -> FigureChange:
    """The change of a scenario that both engines have."""
    one, other = scenario_of(name, base), scenario_of(name, new)
    assert one is not None
    assert other is not None
    if one.scenario != "server":
        return means_change(name, one.run_figures, other.run_figures, pairing)
    return _searched(name, _rate(one), _rate(other), pairing.shift)


def _rate(one: ScenarioResult) -> Interval:
    """What the search left open: from the highest rate that was kept to the lowest that was not."""
    kept = one.figure or 0.0
    refused = any((run.target_rate or 0.0) > kept for run in one.runs)
    return Interval(kept, one.low, one.high if refused else kept * math.exp(WIDEST))


def _searched(name: str, base: Interval, new: Interval, shift: float) -> FigureChange:
    """A search has no spread: what it leaves open of one side meets what it leaves open of the other."""
    low, high = new.low / shift, new.high * shift
    change = None
    if base.low > 0:
        change = less_one(Interval(new.value / base.value, low / base.high, high / base.low))
    return FigureChange(
        figure=name,
        base=base,
        new=new,
        difference=Interval(new.value - base.value, low - base.high, high - base.low),
        change=change,
        shift=shift,
    )


def missing_scenario(name: str, side: str, engine: EngineResult, other: EngineResult) -> InputError:
    """That a side lacks the figure of a scenario: what it has, and how to measure it.

    Args:
        name: Of the figure.
        side: `base` or `new`.
        engine: Of this side.
        other: Of the other side, whose limit is the one to measure with.
    """
    limits = [one.limit for one in (*other.scenarios, *engine.scenarios) if one.limit is not None]
    names = [one.figure_name for one in engine.scenarios if _comparable(one)]
    has = f"its scenarios gave {first_few(names)}" if names else "no scenario was run"
    options = bench_options([name], limits[0] if limits else None)
    return InputError(
        f"The {side} side has no '{name}': {has} ({engine.name}).",
        hint=f"Measure it with 'edgewright bench PACKAGE --data DATA {options} -o FILE'.",
    )


def bench_options(names: Iterable[str], limit: float | None) -> str:
    """The options of a bench that measures the scenarios of these figures.

    Args:
        names: Of figures of scenarios.
        limit: Seconds that a server is to keep; None where nothing says it, and an example stands for it.
    """
    points = [point for name in names if (point := scenario_point(name)) is not None]
    scenarios = dict.fromkeys(scenario for scenario, _, _ in points)
    options = [f"--scenario {','.join(scenarios)}"]
    if "server" in scenarios:
        options.append(f"--latency-limit {_LIMIT if limit is None else f'{1000 * limit:g}ms'}")
    for kind, counts in (("batch", {batch for _, batch, _ in points}), ("streams", {many for *_, many in points})):
        if counts != {1}:
            options.append(f"--sweep {kind}={','.join(map(str, sorted(counts)))}")
    return " ".join(options)


def doubtful_scenarios(engines: tuple[EngineResult, EngineResult], sources: tuple[str, str]) -> tuple[str, ...]:
    """What makes the figures of scenarios that both have less sure, as sentences."""
    common = {one.figure_name for one in engines[0].scenarios} & {one.figure_name for one in engines[1].scenarios}
    return tuple(
        f"{source}: {note}"
        for engine, source in zip(engines, sources, strict=True)
        for note in scenario_notes([one for one in engine.scenarios if one.figure_name in common])
    )


def scenario_settings(base: EngineResult, new: EngineResult) -> tuple[tuple[str, object, object], ...]:
    """How the scenarios of both were run: each setting with what it is on each side, the differing ones once."""
    pairs = [(one, other) for one in base.scenarios for other in new.scenarios if one.figure_name == other.figure_name]
    about: dict[tuple[str, str, str], list[str]] = {}
    for one, other in pairs:
        for (setting, mine), (_, theirs) in zip(_settings(one), _settings(other), strict=True):
            if mine != theirs and "" not in (mine, theirs):
                about.setdefault((setting, mine, theirs), []).append(one.label)
    return tuple((f"{what} of {first_few(labels)}", mine, theirs) for (what, mine, theirs), labels in about.items())


def _settings(one: ScenarioResult) -> tuple[tuple[str, str], ...]:
    """An empty value is not known."""
    return (
        ("latency limit", "" if one.limit is None else f"{significant(1000 * one.limit)} ms"),
        ("threads of a stream", f"{one.threads}"),
        ("samples of a call together", f"{one.together}"),
        ("seconds of a run", f"{one.seconds:g}" if one.seconds else ""),
        ("LoadGen", one.loadgen),
    )
