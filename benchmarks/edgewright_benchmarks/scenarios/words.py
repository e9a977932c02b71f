"""Scenarios as rows of words: the same on a terminal, in Markdown and on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edgewright_benchmarks.scenario_result import ScenarioResult
from edgewright_benchmarks.statistics.bounds import lower, significant, upper

HEADINGS: Final = ("Scenario", "Streams", "Batch", "Figure", "Value", "Interval", "Runs", "LoadGen")
# Columns of numbers, by index.
NUMBERS: Final = (1, 2, 4, 5, 6)
_FIGURES: Final = {
    "single-stream": "p90 of a sample",
    "multi-stream": "p99 of 8 samples",
    "offline": "samples a second",
    "server": "samples a second",
}
_NOTHING: Final = "\N{EN DASH}"


def scenario_rows(scenarios: Sequence[ScenarioResult]) -> list[tuple[str, ...]]:
    """One row for each scenario under `HEADINGS`."""
    return [_row(one) for one in scenarios]


def scenario_notes(scenarios: Sequence[ScenarioResult]) -> list[str]:
    """What to know about them, each sentence once, with those that it is about."""
    about: dict[str, list[str]] = {}
    for one in scenarios:
        for note in one.notes:
            about.setdefault(note, []).append(
                one.figure_name.replace(".p90", "").replace(".p99", "").replace(".rate", "")
            )
    return [f"{', '.join(names)}: {note}" for note, names in about.items()]


def scenario_basis(scenarios: Sequence[ScenarioResult]) -> str:
    """How they were run, in sentences."""
    first = scenarios[0]
    threads = dict.fromkeys(f"{one.threads}" for one in scenarios)
    several = any(one.scenario != "server" for one in scenarios)
    interval = "Interval: of the mean of the runs, 95 %" if several else ""
    if any(one.scenario == "server" for one in scenarios):
        words = "of a server what the search left open, from the highest rate that was kept to the lowest that was not"
        interval = f"{interval}; {words}" if interval else f"Interval: {words}"
    return (
        f"Measured with MLCommons LoadGen {first.loadgen}, {' or '.join(threads)} threads a stream, in short runs on "
        f"data of your own: not a submission to MLPerf. {interval}. LoadGen: its verdict on the runs that count."
    )


def _row(one: ScenarioResult) -> tuple[str, ...]:
    name = one.scenario if one.limit is None else f"{one.scenario}, p99 within {significant(1000 * one.limit)} ms"
    batch = f"{one.batch}" if one.batch == 1 or one.together else f"{one.batch}, one by one"
    if one.figure is None:
        value, span = _NOTHING, _NOTHING
    elif one.is_rate:
        value = f"{significant(one.figure)}/s"
        span = f"{significant(one.low, rounding=lower)} to {significant(one.high, rounding=upper)}"
    else:
        value = f"{significant(1000 * one.figure)} ms"
        span = f"{significant(1000 * one.low, rounding=lower)} to {significant(1000 * one.high, rounding=upper)}"
    return (name, f"{one.streams}", batch, _FIGURES[one.scenario], value, span, f"{len(one.runs)}", _verdict(one))


def _verdict(one: ScenarioResult) -> str:
    counting = [run for run in one.runs if run.target_rate in (None, one.figure)]
    if not counting:
        return _NOTHING
    valid = sum(run.valid for run in counting)
    return "valid" if valid == len(counting) else "invalid" if not valid else f"{valid} of {len(counting)} valid"
