"""Signs in recorded times that something else than the engine made them: heat, two modes, other programs, a clock.

Each gives a sentence with what was seen and what to do, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Rounds = Sequence[Sequence[float]]
Floats = NDArray[np.float64]

# Thirds of fewer rounds say nothing about a drift; of fewer values the best split may be anywhere.
_FEWEST_ROUNDS, _FEWEST_OF_MODES = 6, 15
# All engines by so much slower, from the first third of the rounds to the last.
_THROTTLED = 0.05
# Ashman's D: two modes are apart by so many of their own standard deviations. In 3,000 draws of 15 normal, uniform or
# gamma-distributed values the best split stays below 7.2 in 99 of 100, of 200 values below 4.0 in all.
_APART = 7.0
_APART_IN_CALLS = 4.5
# A mode that holds less is a tail; modes that are nearer do not matter.
_LEAST_SHARE, _LEAST_GAP = 0.2, 0.05
# An engine that computes has a processor all the time; below this others had it for a good part.
_HAD_PROCESSOR = 0.8
# A call so many times as long as the others, and longer than other programs hold one up.
_JUMP_TIMES, _JUMP_SECONDS = 100.0, 1.0


def throttling(engines: Mapping[str, Rounds]) -> str:
    """That all engines became slower together, which is the machine's doing; of one engine alone nothing can be said.

    >>> from edgewright_benchmarks.statistics.disturbances import throttling
    >>> warm = [[1e-3]] * 4 + [[1.1e-3]] * 4 + [[1.2e-3]] * 4
    >>> throttling({"a": warm, "b": warm})[:44]
    'All engines became slower together, by 20% f'
    """
    medians = [values for rounds in engines.values() if (values := _medians(rounds)).size >= _FEWEST_ROUNDS]
    if len(medians) < 2:
        return ""
    changes = [float(np.median(one[-(one.size // 3) :]) / np.median(one[: one.size // 3])) - 1 for one in medians]
    if min(changes) <= _THROTTLED:
        return ""
    return (
        f"All engines became slower together, by {min(changes):.0%} from the first third of rounds to the last: the "
        "processor slows down, by heat or by a limit of power. Ratios hold; times are those of a warm machine. Cool "
        "it, or pin the frequency of the CPU."
    )


def two_modes(engines: Mapping[str, Rounds], baseline: str = "") -> str:
    """That times fall in two groups: rounds of an engine, or its calls beside those of the baseline.

    Calls of one engine differ by the size of their samples; over the baseline's call of the same sample they do not.

    Args:
        engines: Name to seconds of calls, one sequence a round, the same samples in the same order.
        baseline: Name of the engine that calls are divided by.
    """
    found = {}
    for name, rounds in engines.items():
        medians = _medians(rounds)
        words = _modes(medians, _APART, "rounds") if medians.size >= _FEWEST_OF_MODES else ""
        if not words and name != baseline:
            words = _modes(_call_ratios(rounds, engines.get(baseline, ())), _APART_IN_CALLS, "calls")
        if words:
            found[name] = words
    if not found:
        return ""
    shown = ", ".join(f"{name} {words}" for name, words in found.items())
    return (
        f"Times have two modes: {shown}. The processor has cores of two speeds or changes its frequency in steps, or "
        "another program runs now and then. Pin the process to cores of one kind (taskset) and the frequency of the "
        "CPU; a median between two modes means little."
    )


def busy_machine(busy: float | None) -> str:
    """That other programs had the processor.

    Args:
        busy: Processor time over the time that passed of the float baseline, which runs on the CPU; see `Latency.busy`.
    """
    if busy is None or busy >= _HAD_PROCESSOR:
        return ""
    return (
        f"The machine was busy: the float baseline had a processor for {busy:.0%} of its time. Close other programs, "
        "or compare with 'edgewright compare --rerun', which pairs rounds."
    )


def clock_jumps(engines: Mapping[str, Rounds]) -> str:
    """That some calls took so long that the machine slept, or its clock jumped."""
    found = {}
    for name, rounds in engines.items():
        values = np.array([value for one in rounds for value in one], dtype=np.float64)
        if values.size and (values > max(_JUMP_SECONDS, _JUMP_TIMES * float(np.median(values)))).any():
            longest = float(values.max())
            found[name] = f"{longest:.1f} s in {name}, {longest / float(np.median(values)):,.0f} times its median"
    if not found:
        return ""
    return (
        f"The clock jumped, or the machine slept: a call took {'; '.join(found.values())}. Medians hold; percentiles "
        "and throughput do not. Measure again."
    )


def _medians(rounds: Rounds) -> Floats:
    return np.array([np.median(values) for values in rounds if len(values)], dtype=np.float64)


def _call_ratios(rounds: Rounds, baseline: Rounds) -> Floats:
    """Each call over the baseline's of the same round and place; nothing where they do not belong together."""
    pairs = [(np.asarray(one), np.asarray(other)) for one, other in zip(rounds, baseline, strict=False)]
    if not pairs or len(rounds) != len(baseline) or any(one.size != other.size for one, other in pairs):
        return np.empty(0)
    ratios = np.concatenate([one / other for one, other in pairs if (other > 0).all()] or [np.empty(0)])
    return ratios if ratios.size >= 10 * _FEWEST_OF_MODES else np.empty(0)


def _modes(values: Floats, apart: float, what: str) -> str:
    """The two groups of the best split of the logarithms (Otsu), where they are apart; empty where there is one group.

    Source of D: K. M. Ashman, C. M. Bird and S. E. Zepf, Detecting bimodality in astronomical datasets, The
    Astronomical Journal 108 (1994), 2348-2361.
    """
    if values.size < _FEWEST_OF_MODES or not (values > 0).all():
        return ""
    logs = np.sort(np.log(values))
    least = max(2, int(np.ceil(_LEAST_SHARE * logs.size)))
    counts = np.arange(1, logs.size)
    sums = np.cumsum(logs)[:-1]
    # Of all splits, that with the most variance between its groups.
    between = (sums / counts - (logs.sum() - sums) / (logs.size - counts)) ** 2 * counts * (logs.size - counts)
    split = int(counts[between.argmax()])
    if not least <= split <= logs.size - least:
        return ""
    low, high = logs[:split], logs[split:]
    gap = float(high.mean() - low.mean())
    spread = float(np.sqrt((low.var() + high.var()) / 2))
    if gap < np.log1p(_LEAST_GAP) or gap < spread * apart:
        return ""
    share = high.size / logs.size
    return f"({share:.0%} of {what} took {np.expm1(gap):.0%} longer than the others)"
