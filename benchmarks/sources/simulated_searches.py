"""Searches whose engines have known drops: what a rule of choice does over a thousand of them.

The engines of a search lose partly the same samples, the faster ones lose more, and their guides (differences from
float on calibration samples) follow their drops imperfectly. A rule sees what a build sees: `EngineResult`s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from edgewright_benchmarks.engine_result import Accuracy, EngineResult, Interval, Latency
from edgewright_benchmarks.statistics.intervals import confidence_of_drop, paired_accuracy_drop

BASELINE = "float"
# Half of what makes a sample hard is the sample, the other half the engine.
_SHARED = 0.5
# What an engine gains by chance, beside what it gains for what it loses: quantized models do both.
_LEAST_GAIN, _GAINED = 0.002, 0.5


@dataclass(frozen=True, kw_only=True)
class Searches:
    """What is simulated.

    Attributes:
        engines: That are tried in each search, all of them faster than float.
        samples: Evaluation samples.
        max_drop: The budget as a share.
        drops: The smallest and the largest true drop, in budgets; they are drawn evenly in between.
        disorder: Standard deviation of the logarithm of guide over drop; 0 orders the engines as their drops do.
        halved: Also give the figures of each half of the samples.
        seed: Decides all of it.
    """

    engines: int = 40
    samples: int = 1000
    max_drop: float = 0.01
    drops: tuple[float, float] = (0.0, 2.0)
    disorder: float = 0.3
    halved: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Search:
    """One of them.

    Attributes:
        engines: The baseline, and all that were tried, on all samples.
        halves: The same on the first half of the samples and on the second, where it was asked for.
        drops: Engine to its true drop, as a share.
    """

    engines: tuple[EngineResult, ...]
    halves: tuple[tuple[EngineResult, ...], ...]
    drops: dict[str, float]


def searches(asked: Searches, count: int) -> Iterator[Search]:
    """So many searches."""
    random = np.random.default_rng(asked.seed)
    for _ in range(count):
        drops = asked.max_drop * random.uniform(*asked.drops, size=asked.engines)
        place = drops.argsort().argsort() / asked.engines
        ratios = np.clip(0.9 - 0.4 * place + random.normal(0, 0.08, asked.engines), 0.2, 0.97)
        guides = (drops + 1e-4) * np.exp(random.normal(0, asked.disorder, asked.engines))
        lost, gained = _answers(drops, asked.samples, random)
        half = asked.samples // 2
        parts = [slice(None), slice(half), slice(half, None)] if asked.halved else [slice(None)]
        whole, *halves = (
            tuple(_engines(lost[part].sum(0), gained[part].sum(0), lost[part].shape[0], ratios, guides, asked.max_drop))
            for part in parts
        )
        yield Search(whole, tuple(halves), {_name(index): float(drop) for index, drop in enumerate(drops)})


def _answers(
    drops: NDArray[np.float64], samples: int, random: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which samples each engine loses and gains; shape (samples, engines) each."""
    gains = _LEAST_GAIN + _GAINED * drops
    own = random.standard_normal((samples, drops.size), dtype=np.float32)
    shared = random.standard_normal((samples, 1), dtype=np.float32)
    ease = np.sqrt(_SHARED) * shared + np.sqrt(1 - _SHARED) * own
    return ease < norm.ppf(drops + gains), ease > norm.ppf(1 - gains)


def _engines(
    lost: NDArray[np.int64],
    gained: NDArray[np.int64],
    samples: int,
    ratios: NDArray[np.float64],
    guides: NDArray[np.float64],
    max_drop: float,
) -> Iterator[EngineResult]:
    yield replace(_engine(BASELINE, 1.0, _accuracy(0, 0, samples, max_drop)), status="baseline")
    for index in range(lost.size):
        accuracy = _accuracy(int(lost[index]), int(gained[index]), samples, max_drop)
        yield replace(_engine(_name(index), float(ratios[index]), accuracy), guide=float(guides[index]))


def _name(index: int) -> str:
    return f"engine-{index}"


# Few numbers of lost and gained samples occur again and again.
@cache
def _accuracy(lost: int, gained: int, samples: int, max_drop: float) -> Accuracy:
    baseline, candidate = np.zeros(samples, dtype=bool), np.zeros(samples, dtype=bool)
    baseline[:lost] = True
    candidate[lost : lost + gained] = True
    drop = paired_accuracy_drop(baseline, candidate)
    return Accuracy({}, drop, samples, surest=confidence_of_drop(lost, gained, samples, max_drop))


def _engine(name: str, ratio: float, accuracy: Accuracy) -> EngineResult:
    latency = Latency(
        rounds=(),
        median=ratio,
        p50=ratio,
        p90=ratio,
        p95=ratio,
        p99=ratio,
        throughput=1 / ratio,
        ratio=Interval(ratio, ratio, ratio),
    )
    return EngineResult(
        name=name,
        target="simulated",
        provider="CPUExecutionProvider",
        precision="int8",
        rung="measured",
        status="unjudged",
        latency=latency,
        accuracy=accuracy,
    )
