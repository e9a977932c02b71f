"""Disturbances in simulated series with known answers: heat, two modes, other programs, a clock."""

import numpy as np
import pytest

from edgewright_benchmarks.statistics.disturbances import busy_machine, clock_jumps, throttling, two_modes
from edgewright_benchmarks.statistics.intervals import stability_warnings

Series = list[list[float]]

# Medians of rounds, in microseconds, of an engine whose neighbour runs now and then.
NEIGHBOUR = [512, 508, 644, 511, 652, 509, 507, 648, 513, 641, 510, 506, 655, 511, 650, 509, 647, 512]


def series(medians: object, *, seed: int = 0, calls: int = 20, noise: float = 0.01) -> Series:
    """Calls around the medians of rounds."""
    values = np.asarray(medians, dtype=np.float64)[:, None]
    made = values * np.exp(np.random.default_rng(seed).normal(0, noise, (values.size, calls)))
    return [[float(value) for value in row] for row in made]


def steady(count: int = 15, *, seed: int = 0, spread: float = 0.01) -> Series:
    return series(1e-3 * np.exp(np.random.default_rng(seed).normal(0, spread, count)), seed=seed + 1)


class TestThrottling:
    @pytest.mark.parametrize("rise", [0.1, 0.2, 0.5])
    def test_engines_that_become_slower_together(self, rise: float) -> None:
        ramp = 1e-3 * np.linspace(1, 1 + rise, 15)
        found = throttling({"a": series(ramp), "b": series(3 * ramp, seed=1)})
        assert "All engines became slower together" in found
        assert "heat" in found

    def test_a_step_in_the_middle(self) -> None:
        step = [1e-3] * 7 + [1.3e-3] * 8
        assert "30%" in throttling({"a": series(step), "b": series(step, seed=1)})

    def test_one_engine_alone_is_not_the_machine(self) -> None:
        ramp = 1e-3 * np.linspace(1, 1.3, 15)
        assert throttling({"a": series(ramp), "b": steady()}) == ""
        assert throttling({"a": series(ramp)}) == ""

    def test_steady_and_faster_machines_do_not_throttle(self) -> None:
        cold = 1e-3 * np.linspace(1.2, 1, 15)
        assert throttling({"a": series(cold), "b": series(cold, seed=1)}) == ""
        found = [throttling({"a": steady(seed=n), "b": steady(seed=n + 500)}) for n in range(200)]
        assert not any(found)

    def test_the_machine_is_said_once(self) -> None:
        ramp = 1e-3 * np.linspace(1, 1.2, 15)
        found = stability_warnings({"a": series(ramp), "b": series(ramp, seed=1)})
        assert len(found) == 1
        assert "together" in found[0]


class TestTwoModes:
    def test_rounds_of_two_modes(self) -> None:
        found = two_modes({"cpu": series(np.array(NEIGHBOUR) * 1e-6)})
        assert "cpu (39% of rounds took 27% longer than the others)" in found
        assert "taskset" in found

    def test_calls_of_two_modes_beside_a_baseline_of_one(self) -> None:
        """Samples differ twentyfold in length, so calls of one engine say nothing by themselves."""
        random = np.random.default_rng(0)
        sizes = random.uniform(1, 20, (15, 40))
        slow = np.where(random.random((15, 40)) < 0.3, 1.4, 1.0)
        base = (1e-3 * sizes * np.exp(random.normal(0, 0.01, (15, 40)))).tolist()
        split = (2e-3 * sizes * slow * np.exp(random.normal(0, 0.01, (15, 40)))).tolist()
        found = two_modes({"float": base, "int8": split}, "float")
        assert "int8 (30% of calls took 40% longer" in found.replace("31%", "30%").replace("29%", "30%")
        assert two_modes({"float": base, "int8": (2 * np.array(base)).tolist()}, "float") == ""

    @pytest.mark.parametrize("kind", ["normal", "uniform", "gamma"])
    def test_one_mode_is_hardly_ever_taken_for_two(self, kind: str) -> None:
        random = np.random.default_rng(1)
        draws = {
            "normal": np.exp(random.normal(0, 0.1, (400, 15))),
            "uniform": np.exp(random.uniform(0, 0.3, (400, 15))),
            "gamma": 1 + random.gamma(1.2, 0.1, (400, 15)),
        }[kind]
        found = [two_modes({"a": [[1e-3 * float(value)] for value in row]}) for row in draws]
        assert sum(map(bool, found)) <= 12

    def test_modes_within_five_percent_do_not_matter(self) -> None:
        assert two_modes({"a": series([1e-3, 1.03e-3] * 8, noise=0.001)}) == ""


def test_a_clock_that_jumps_is_said() -> None:
    rounds = steady()
    assert clock_jumps({"a": rounds}) == ""
    rounds[3][4] = 45.0
    found = clock_jumps({"a": rounds, "b": steady()})
    assert "45.0 s in a, 4" in found
    assert "Measure again" in found
    assert found in stability_warnings({"a": rounds})


def test_a_slow_engine_is_not_a_clock() -> None:
    assert clock_jumps({"a": [[30.0, 31.0], [29.0, 33.0]]}) == ""


def test_a_busy_machine_is_said() -> None:
    assert busy_machine(None) == ""
    assert busy_machine(0.97) == ""
    assert "59% of its time" in busy_machine(0.59)
    assert busy_machine(0.59) in stability_warnings({"a": steady()}, busy=0.59)
