"""Warnings about latencies that are not steady enough to be trusted, in the manner of pyperf's checks."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_benchmarks.statistics.disturbances import busy_machine, clock_jumps, throttling, two_modes

# Thirds of fewer rounds say nothing about a drift.
_FEWEST_ROUNDS = 6
# pyperf calls a benchmark unstable where the standard deviation is a tenth of the mean.
_SPREAD = 0.10
# A slow drift cancels in the ratio to the baseline, yet it says that the machine heats up or is shared.
_DRIFT = 0.05
# An engine that computes has a processor all the time; below this others had it for a good part.
_HAD_PROCESSOR = 0.8
# Of two engines on a busy machine both wait; one that was busy for so much less of its time waited far more.
_ALIKE = 0.75
# Two readings of the clock and the loop around them cost up to a tenth of a microsecond: 1 % of this.
_SHORTEST_SECONDS = 10e-6


def starved_baseline(candidate: float | None, baseline: float | None) -> str:
    """Reason to reject a lower latency because the baseline was starved of the processor; empty if the win stands.

    Engines take turns, so what runs beside them takes from all alike. Not where one waits for several threads at once
    and the other for none: then the one with more threads loses far more, whatever it computes.

    Args:
        candidate: How busy the processor was with it, the median of its rounds; see `workers.Turn`.
        baseline: The same of the baseline. None, of both, where it was not read.
    """
    if candidate is None or baseline is None or baseline >= _HAD_PROCESSOR or baseline >= _ALIKE * candidate:
        return ""
    return (
        f"its time and the baseline's cannot be compared, because other programs used the processor: the baseline "
        f"computed for {baseline:.0%} of its time, this engine for {candidate:.0%}. Close other programs and measure "
        "again"
    )


def stability_warnings(
    engines: Mapping[str, Sequence[Sequence[float]]],
    confidence: float = CONFIDENCE,
    *,
    baseline: str = "",
    busy: float | None = None,
) -> tuple[str, ...]:
    """What makes latencies less sure, and what to do about it: one sentence for each kind of trouble.

    Args:
        engines: Name of an engine to the seconds of its calls, one sequence a round, in the order they were taken.
        confidence: Of the intervals of their ratios.
        baseline: Name of the float baseline among them.
        busy: Processor time of the float baseline over the time that passed; None where it was not read.

    Returns:
        Nothing where the rounds look steady and are enough, or where there are none.
    """
    found = _medians(engines)
    sentences = (
        *unsteadiness(engines, baseline=baseline, busy=busy),
        _few(min((values.size for values in found.values()), default=None), confidence),
        _short({name: float(np.median(values)) for name, values in found.items()}),
    )
    return tuple(sentence for sentence in sentences if sentence)


def unsteadiness(
    engines: Mapping[str, Sequence[Sequence[float]]], *, baseline: str = "", busy: float | None = None
) -> tuple[str, ...]:
    """Signs that something else than the engines made the times, one sentence for each kind; see `stability_warnings`.

    An engine that spreads is not said to drift as well, and where all engines drift together that alone is said: a list
    that says everything twice is not read.
    """
    found = _medians(engines)
    spread = {name: words for name, values in found.items() if (words := _spread(values))}
    drift = {name: words for name, values in found.items() if name not in spread and (words := _drift(values))}
    occupied, throttled = busy_machine(busy), throttling(engines)
    # A drop of speed in mid-run gives two modes of rounds, and a core that is shared gives modes of its slices.
    modes = "" if occupied or throttled else two_modes(engines, baseline)
    steadier = "close other programs, pin the CPU frequency, or pass --rounds 30."
    calmer = "let the machine cool down or warm up first, or close other programs."
    sentences = [
        occupied,
        clock_jumps(engines),
        throttled,
        modes,
        "" if throttled or modes else _sentence("Timing was unsteady", spread, steadier),
        "" if throttled else _sentence("Timing drifted", drift, calmer),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def _medians(engines: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, NDArray[np.float64]]:
    """The medians of rounds, of engines that have any."""
    medians = {
        name: np.array([np.median(values) for values in rounds if len(values)], dtype=np.float64)
        for name, rounds in engines.items()
    }
    return {name: values for name, values in medians.items() if values.size}


def _sentence(what: str, engines: Mapping[str, str], advice: str) -> str:
    if not engines:
        return ""
    return f"{what}: {', '.join(f'{name} {words}' for name, words in engines.items())}; {advice}"


def _few(rounds: int | None, confidence: float) -> str:
    fewest = fewest_rounds(confidence)
    if rounds is None or rounds >= fewest:
        return ""
    return (
        f"{rounds} round{'s' * (rounds != 1)} cannot give a {100 * confidence:g} % interval of a median; "
        f"pass --rounds {fewest} or more."
    )


def fewest_rounds(confidence: float) -> int:
    """The fewest rounds whose range holds the median with this confidence, whatever the distribution.

    All of n rounds lie on one side of the median with a chance of 2 * 0.5 ** n: with six rounds 3 %.

    >>> from edgewright_benchmarks.statistics.stability import fewest_rounds
    >>> fewest_rounds(0.95), fewest_rounds(0.999)
    (6, 11)
    """
    return math.ceil(1 - math.log2(1 - confidence))


def _short(medians: Mapping[str, float]) -> str:
    shortest = max(_SHORTEST_SECONDS, 100 * time.get_clock_info("perf_counter").resolution)
    short = [f"{name} ({seconds * 1e6:.2g} microseconds)" for name, seconds in medians.items() if seconds < shortest]
    if not short:
        return ""
    return (
        f"Calls below {shortest * 1e6:.0f} microseconds are too short for the clock to resolve well: "
        f"{', '.join(short)}; measure a longer input, or take their ratios as rough."
    )


def _spread(medians: NDArray[np.float64]) -> str:
    median = float(np.median(medians))
    # Times 1.4826 the median absolute deviation is the standard deviation of a normal distribution.
    spread = 1.4826 * float(np.median(np.abs(medians - median))) / median
    slowest = float(medians.max()) / median
    if spread <= _SPREAD and slowest <= 1.5:
        return ""
    return f"spread by {spread:.0%} from round to round (slowest {slowest:.2f} times the median)"


def _drift(medians: NDArray[np.float64]) -> str:
    third = medians.size // 3
    if medians.size < _FEWEST_ROUNDS:
        return ""
    change = float(np.median(medians[-third:]) / np.median(medians[:third])) - 1
    if abs(change) <= _DRIFT:
        return ""
    return f"was {abs(change):.0%} {'slower' if change > 0 else 'faster'} in its last third of rounds than in its first"
