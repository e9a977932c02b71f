"""Recorded latencies with disturbances that were planted: what is said of them; see tests/data/recorded-latency."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_benchmarks.statistics.stability import stability_warnings, unsteadiness

FOLDER = Path(__file__).resolve().parents[1] / "data" / "recorded-latency"
# Beginnings of sentences: causes that are told apart, and what is only seen.
BUSY, JUMP, SLOWER, MODES = (
    "The machine was busy",
    "The clock jumped",
    "All engines became slower together",
    "Times have two modes",
)
CAUSES = {BUSY, JUMP, SLOWER, MODES}


def recorded(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return data


def rounds(data: dict[str, Any], *, first: int | None = None) -> dict[str, list[list[float]]]:
    return {
        name: [[1e-6 * value for value in one] for one in series[:first]]
        for name, series in data["microseconds"].items()
    }


def busy(data: dict[str, Any]) -> float:
    return float(np.median(data["busy"][data["baseline"]]))


@pytest.mark.parametrize(
    ("name", "planted"),
    [("quiet", set()), ("busy", {BUSY}), ("slower-in-mid-run", {SLOWER}), ("two-modes", {MODES})],
)
def test_what_was_planted_is_said_and_nothing_else(name: str, planted: set[str]) -> None:
    data = recorded(name)
    said = unsteadiness(rounds(data), baseline=data["baseline"], busy=busy(data))
    causes = {cause for cause in CAUSES if any(sentence.startswith(cause) for sentence in said)}
    assert causes == planted, said
    if not planted:
        assert stability_warnings(rounds(data), baseline=data["baseline"], busy=busy(data)) == ()


def test_before_the_drop_nothing_is_said() -> None:
    data = recorded("slower-in-mid-run")
    assert unsteadiness(rounds(data, first=11), baseline=data["baseline"], busy=busy(data)) == ()


def test_the_modes_are_those_that_were_planted() -> None:
    """In 8 of 20 rounds half of the core was another program's: they took twice as long."""
    data = recorded("two-modes")
    (said,) = (one for one in unsteadiness(rounds(data), baseline=data["baseline"]) if one.startswith(MODES))
    assert "(40% of rounds took 102% longer than the others)" in said


@pytest.mark.parametrize("name", ["busy", "slower-in-mid-run", "two-modes"])
def test_the_ratio_holds_whatever_disturbs_both_engines(name: str) -> None:
    def ratio(data: dict[str, Any]) -> tuple[float, float]:
        (other,) = set(data["microseconds"]) - {data["baseline"]}
        found = latency_ratio(data["microseconds"][other], data["microseconds"][data["baseline"]])
        return found.low, found.high

    quiet, disturbed = ratio(recorded("quiet")), ratio(recorded(name))
    assert max(quiet[0], disturbed[0]) <= min(quiet[1], disturbed[1]), (quiet, disturbed)
    assert disturbed[1] < 1
