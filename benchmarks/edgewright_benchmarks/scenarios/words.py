"""Scenarios as rows of words: the same on a terminal, in Markdown and on a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from edgewright_benchmarks.scenario_result import QUERIES, LoadRun, ScenarioResult
from edgewright_benchmarks.statistics.bounds import lower, significant, upper

HEADINGS: Final = ("Scenario", "Streams", "Batch", "Figure", "Value", "Interval", "Runs", "LoadGen")
# What the value is, by index; likewise the columns of numbers.
FIGURE_COLUMN: Final = 3
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


def scenario_figures(scenarios: Sequence[ScenarioResult]) -> str:
    """What the value of each of them is, in a sentence."""
    figures = dict.fromkeys(f"{one.scenario} {_figure(one)}" for one in scenarios)
    return f"Values: {'; '.join(figures)}."


def scenario_notes(scenarios: Sequence[ScenarioResult]) -> list[str]:
    """What to know about them, each sentence once, with those that it is about."""
    about: dict[str, list[str]] = {}
    for one in scenarios:
        for note in (*_invalid(one), *one.notes):
            about.setdefault(note, []).append(one.label)
    return [*_few_queries(scenarios), *(f"{', '.join(names)}: {note}" for note, names in about.items())]


def _few_queries(scenarios: Sequence[ScenarioResult]) -> list[str]:
    """That LoadGen does not trust values because of the number of queries; all of them in one note."""
    found = [(one, min(run.queries for run in runs)) for one in scenarios if (runs := _too_few(one))]
    if not found:
        return []
    counts = ", ".join(f"{one.label} ({count:,} of {QUERIES[one.scenario]:,})" for one, count in found)
    seconds = [one.seconds * QUERIES[one.scenario] / max(1, count) for one, count in found]
    known = min(seconds) > 0
    longer = f"--scenario-seconds {math.ceil(max(seconds))} or more" if known else "longer --scenario-seconds"
    sentence = (
        f"Too few queries for LoadGen to call a run valid: {counts}. These values were measured, and other runs may "
        f"differ from them by more than the intervals say. For values that LoadGen is 99 % sure of pass {longer}."
    )
    return [sentence]


def _invalid(one: ScenarioResult) -> list[str]:
    """That LoadGen calls runs invalid for another reason than their number of queries."""
    found = _otherwise_invalid(one)
    if not found:
        return []
    which = "the run" if len(one.counting) == 1 else f"{len(found)} of {len(one.counting)} runs"
    reasons = " ".join(dict.fromkeys(run.reason for run in found if run.reason)) or "It gives no reason."
    # Of the same runs others may have had too few queries, which is said by itself.
    other = " for another reason than too few queries" if _too_few(one) else ""
    return [f"LoadGen, which judges each run, calls {which} invalid{other}: {reasons} Do not rely on the value."]


def _too_few(one: ScenarioResult) -> list[LoadRun]:
    return [run for run in one.counting if not run.valid and run.queries < QUERIES[one.scenario]]


def _otherwise_invalid(one: ScenarioResult) -> list[LoadRun]:
    return [run for run in one.counting if not run.valid and run.queries >= QUERIES[one.scenario]]


def scenario_basis(scenarios: Sequence[ScenarioResult]) -> str:
    """How they were run, in sentences."""
    first = scenarios[0]
    threads = list(dict.fromkeys(f"{one.threads}" for one in scenarios))
    counted = "thread" if threads == ["1"] else "threads"
    several = any(one.scenario != "server" for one in scenarios)
    interval = "Interval: of the mean of the runs, 95 %" if several else ""
    if any(one.scenario == "server" for one in scenarios):
        words = "of a server what the search left open, from the highest rate that was kept to the lowest that was not"
        interval = f"{interval}; {words}" if interval else f"Interval: {words}"
    return (
        f"Measured with MLCommons LoadGen {first.loadgen}, {' or '.join(threads)} {counted} a stream, in short runs on "
        f"data of your own: not a submission to MLPerf. {interval}. LoadGen: what it calls the runs that "
        "the value rests on."
    )


def _row(one: ScenarioResult) -> tuple[str, ...]:
    if one.figure is None:
        value, span = _NOTHING, _NOTHING
    elif one.is_rate:
        value = f"{significant(one.figure)}/s"
        span = f"{significant(one.low, rounding=lower)} to {significant(one.high, rounding=upper)}"
    else:
        value = f"{significant(1000 * one.figure)} ms"
        span = f"{significant(1000 * one.low, rounding=lower)} to {significant(1000 * one.high, rounding=upper)}"
    runs = f"{len(one.runs)}"
    return (one.scenario, f"{one.streams}", f"{one.batch}", _figure(one), value, span, runs, _verdict(one))


def _figure(one: ScenarioResult) -> str:
    limit = "" if one.limit is None else f", p99 within {significant(1000 * one.limit)} ms"
    return f"{_FIGURES[one.scenario]}{limit}"


def _verdict(one: ScenarioResult) -> str:
    if not one.counting:
        return _NOTHING
    if _otherwise_invalid(one):
        valid = sum(run.valid for run in one.counting)
        return f"{valid} of {len(one.counting)} valid" if valid else "invalid"
    return "too few queries" if _too_few(one) else "valid"
