"""Warnings about latencies that are not steady enough to be trusted, in the manner of pyperf's checks."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The fewest rounds whose range holds the median with 95 % confidence, whatever the distribution: 2 * 0.5 ** 6 = 3 %.
_FEWEST_ROUNDS = 6
# pyperf calls a benchmark unstable where the standard deviation is a tenth of the mean.
_SPREAD = 0.10
# A slow drift cancels in the ratio to the baseline, yet it says that the machine heats up or is shared.
_DRIFT = 0.05
# Two readings of the clock and the loop around them cost up to a tenth of a microsecond: 1 % of this.
_SHORTEST_SECONDS = 10e-6


def stability_warnings(rounds: Sequence[Sequence[float]], name: str) -> tuple[str, ...]:
    """What makes the latencies of the engine `name` less sure, and what to do about it, one sentence each.

    Args:
        rounds: Seconds of each call, one sequence a round, in the order in which they were taken.
        name: Of the engine, for the sentences.

    Returns:
        Nothing where the rounds look steady, or where there are none. An engine that spreads is not said to drift as
        well: the advice is the same, and a list that says everything twice is not read.
    """
    medians = np.array([np.median(values) for values in rounds if len(values)], dtype=np.float64)
    if medians.size == 0:
        return ()
    found = (_few(medians, name), _short(medians, name), _spread(medians, name) or _drift(medians, name))
    return tuple(sentence for sentence in found if sentence)


def _few(medians: NDArray[np.float64], name: str) -> str:
    if medians.size >= _FEWEST_ROUNDS:
        return ""
    return (
        f"{name}: {medians.size} round{'s' * (medians.size != 1)} cannot give a 95 % interval of a median; "
        f"pass --rounds {_FEWEST_ROUNDS} or more."
    )


def _short(medians: NDArray[np.float64], name: str) -> str:
    shortest = max(_SHORTEST_SECONDS, 100 * time.get_clock_info("perf_counter").resolution)
    seconds = float(np.median(medians))
    if seconds >= shortest:
        return ""
    return (
        f"{name}: a call takes {seconds * 1e6:.2g} microseconds, too short for the clock to resolve well "
        f"(below {shortest * 1e6:.0f}); measure a longer input, or read its ratio as a rough one."
    )


def _spread(medians: NDArray[np.float64], name: str) -> str:
    median = float(np.median(medians))
    # Times 1.4826 the median absolute deviation is the standard deviation of a normal distribution.
    spread = 1.4826 * float(np.median(np.abs(medians - median))) / median
    slowest = float(medians.max()) / median
    if spread <= _SPREAD and slowest <= 1.5:
        return ""
    return (
        f"{name}: the rounds spread by {spread:.0%} and the slowest took {slowest:.2f} times the median; "
        "close other programs, pin the CPU frequency, or pass --rounds 30."
    )


def _drift(medians: NDArray[np.float64], name: str) -> str:
    third = medians.size // 3
    if medians.size < _FEWEST_ROUNDS:
        return ""
    change = float(np.median(medians[-third:]) / np.median(medians[:third])) - 1
    if abs(change) <= _DRIFT:
        return ""
    return (
        f"{name}: the last third of the rounds was {abs(change):.0%} {'slower' if change > 0 else 'faster'} than the "
        "first; let the machine cool down or warm up first, or close what runs beside."
    )
