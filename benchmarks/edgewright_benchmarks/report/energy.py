"""Energy in words."""

from __future__ import annotations

from edgewright_benchmarks.costs import Energy
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.statistics.bounds import significant


def energies(result: Result) -> list[tuple[EngineResult, str]]:
    """Engines whose energy was measured, with what each sensor says, as sentences."""
    return [
        (engine, energy_words(one)) for engine in result.engines if engine.rung == "measured" for one in engine.energy
    ]


def energy_words(energy: Energy) -> str:
    """What a sensor says of a call.

    >>> from edgewright_benchmarks.measuring.energy import energy_of
    >>> from edgewright_benchmarks.report.energy import energy_words
    >>> from edgewright_runtime.responses import EnergyRead, SensorEnergy
    >>> sensor = SensorEnergy(name="RAPL, processor packages", joules=30.0, idle_watts=10.0)
    >>> read = EnergyRead(sensors=(sensor,), unknown=(), calls=1000, seconds=1.0, tokens=0)
    >>> energy_words(energy_of([read] * 6, 0.95)[0]).partition(";")[0]
    '30.0 mJ a call (95 % interval 30.0 to 30.0 mJ) by RAPL, processor packages, idle power included'
    """
    words = (
        f"{_millijoules(energy.call.value)} mJ a call{_span(energy.call)} by {energy.sensor}, idle power included; "
        f"{_millijoules(energy.above_idle.value)} mJ{_span(energy.above_idle)} above the "
        f"{significant(energy.idle_watts.value)} W of the idle machine"
    )
    if energy.tokens:
        token = _millijoules(energy.call.value / energy.tokens)
        words += f"; {token} mJ for each of {energy.tokens} new tokens, reading the sample included"
    return f"{words}."


def _span(figure: Interval) -> str:
    if not figure.confidence:
        return " (1 reading)"
    low, high = _millijoules(figure.low), _millijoules(figure.high)
    return f" ({100 * figure.confidence:.3g} % interval {low} to {high} mJ)"


def _millijoules(joules: float) -> str:
    # A machine that was less busy than when it was idle, by chance, has a figure below zero.
    return "0" if joules == 0 else f"{'-' if joules < 0 else ''}{significant(abs(1000 * joules))}"
