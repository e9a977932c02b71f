"""Percentiles of calls with intervals: rounds are resampled, and not calls, which resemble one another in a round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.statistics.resampling import around

Floats = NDArray[np.float64]
Rounds = Sequence[Sequence[float]]

# Names that results have, and the share of the calls, in percent.
PERCENTILES: Final = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}
RESAMPLES: Final = 1000
# Values of resamples that are in memory at once.
_BLOCK = 1 << 22


@dataclass(frozen=True, eq=False)
class LatencyDraws:
    """Percentiles of the calls of an engine, and its throughput in calls a second (`throughput`), by name.

    Attributes:
        values: Of all calls.
        drawn: Of resamples of the rounds; shape (resamples,).
    """

    values: Mapping[str, float]
    drawn: Mapping[str, Floats]

    def interval(self, name: str, confidence: float = 0.95) -> Interval:
        """One of them with its two-sided percentile bootstrap interval."""
        return around(self.values[name], self.drawn[name], confidence=confidence)

    def intervals(self, confidence: float = 0.95) -> dict[str, Interval]:
        """All of them with their intervals, by name."""
        return {name: self.interval(name, confidence) for name in self.values}


def latency_draws(rounds: Rounds, *, resamples: int = RESAMPLES, seed: int = 0) -> LatencyDraws:
    """Percentiles and throughput of an engine, also in resamples of its rounds.

    Two engines of the same rounds that are given the same seed are paired: the same rounds are drawn. The intervals say
    what other rounds of this run would have given; another run may have another state of the machine.

    >>> from edgewright_benchmarks.statistics.percentiles import latency_draws
    >>> found = latency_draws([[0.1, 0.3, 0.2], [0.1, 0.2, 0.4]])
    >>> found.values["p50"], found.interval("p50").low, found.interval("p50").high
    (0.2, 0.2, 0.2)

    Args:
        rounds: Seconds of each call, one sequence a round.
        resamples: How many are drawn.
        seed: Decides which.
    """
    values = np.array([value for values in rounds for value in values], dtype=np.float64)
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    owner = np.repeat(np.arange(len(rounds)), [len(values) for values in rounds])[order]
    calls = np.array([len(one) for one in rounds], dtype=np.float64)
    seconds = np.array([sum(one) for one in rounds], dtype=np.float64)
    shares = np.array(list(PERCENTILES.values())) / 100
    random = np.random.default_rng(seed)
    found, rates = [], []
    rows = max(1, _BLOCK // values.size)
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        counts = random.multinomial(len(rounds), np.full(len(rounds), 1 / len(rounds)), size=size)
        # The inverse of the distribution: the first value that has the share of all calls up to it.
        found += [
            ranked[np.searchsorted(ranks, np.ceil(shares * ranks[-1]))] for ranks in np.cumsum(counts[:, owner], axis=1)
        ]
        rates.append(counts @ calls / (counts @ seconds))
    points = np.percentile(values, 100 * shares).tolist()
    drawn = dict(zip(PERCENTILES, np.array(found).T, strict=True))
    return LatencyDraws(
        {**dict(zip(PERCENTILES, points, strict=True)), "throughput": float(values.size / values.sum())},
        {**drawn, "throughput": np.concatenate(rates)},
    )
