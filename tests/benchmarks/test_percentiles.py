"""Percentiles with intervals, and the length of a run, on simulated series with known answers."""

import numpy as np
import pytest

from edgewright_benchmarks.measuring.meter_settings import MeterSettings, looks
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.measuring.rounds import narrow_enough
from edgewright_benchmarks.statistics.percentiles import PERCENTILES, latency_draws
from edgewright_runtime.responses import Timed

SPREAD = 0.2
# Of the logarithm of a call: what 50, 90, 95 and 99 % of a standard normal distribution lie below.
QUANTILES = {"p50": 0.0, "p90": 1.2816, "p95": 1.6449, "p99": 2.3263}


def rounds(seed: int, *, count: int = 20, calls: int = 60) -> list[list[float]]:
    return (1e-3 * np.exp(np.random.default_rng(seed).normal(0, SPREAD, (count, calls)))).tolist()  # type: ignore[no-any-return]


def test_intervals_hold_the_known_percentiles() -> None:
    """At least 87 of 100 of each: the bootstrap of 20 rounds is a little too narrow, most of all far out."""
    held = dict.fromkeys(PERCENTILES, 0)
    for seed in range(100):
        draws = latency_draws(rounds(seed), resamples=200, seed=seed)
        for name, quantile in QUANTILES.items():
            found = draws.interval(name)
            held[name] += found.low <= 1e-3 * np.exp(SPREAD * quantile) <= found.high
    assert min(held.values()) >= 87, held


def test_intervals_are_of_rounds_and_not_of_calls() -> None:
    """Where all calls of a round are alike, thirty a round say no more than one."""
    medians = 1e-3 * np.exp(np.random.default_rng(0).normal(0, SPREAD, 15))
    one, thirty = (latency_draws([[float(value)] * calls for value in medians]).interval("p50") for calls in (1, 30))
    assert thirty.high - thirty.low == pytest.approx(one.high - one.low, rel=0.25)


def test_a_run_goes_on_until_the_interval_is_narrow() -> None:
    assert looks(MeterSettings(rounds=15, most_rounds=100)) == (15, 30, 60, 100)
    assert looks(MeterSettings(rounds=15)) == (15,)
    for until, expected in ((0.2, True), (0.001, False)):
        readings = {"a": Readings(rounds=tuple(Timed(tuple(one), 1.0) for one in rounds(1)))}
        assert narrow_enough(until)(readings) is expected


def test_an_engine_that_failed_does_not_keep_the_others_waiting() -> None:
    assert narrow_enough(0.001)({"a": Readings(failure="It ended.")})
