"""The report as one HTML file that needs nothing else: no script, no font, no image, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.judging.foreign_engines import NOT_HERE, ForeignEngines, foreign_engines
from edgewright_benchmarks.report import view, words
from edgewright_benchmarks.report.cold_starts import CONDITION, cold_start_svg, cold_start_words, cold_starts
from edgewright_benchmarks.report.energy import energies
from edgewright_benchmarks.report.facts import check, numbers, timed, unseen, warnings
from edgewright_benchmarks.report.float_nodes import TITLE, FloatRow, float_rows
from edgewright_benchmarks.report.headline import basis, headline
from edgewright_benchmarks.report.pages import finished, template
from edgewright_benchmarks.report.points import Point, points
from edgewright_benchmarks.report.quotes import Quote
from edgewright_benchmarks.report.scatter import scatter_svg
from edgewright_benchmarks.report.search import SearchView, overview, search_view
from edgewright_benchmarks.report.search_chart import search_svg
from edgewright_benchmarks.report.spread import beyond_axis, spread_svg
from edgewright_benchmarks.report.text_speed import COUNTED, SpeedRow, speed_rows, unknown_words
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.scenarios.words import HEADINGS, NUMBERS, scenario_basis, scenario_notes, scenario_rows


@dataclass(frozen=True)
class _KeyEntry:
    """A line of the key under a chart: engines that share role and reasons, such as two that failed alike."""

    marker: str
    role: str
    status: str
    engines: tuple[tuple[int, str], ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Section:
    """One result with its charts (finished SVG) and its table."""

    result: Result
    title: str
    scatter: Any
    spread: Any
    beyond: int
    cold_chart: Any
    cold_starts: list[tuple[int, str, str]]
    energies: list[tuple[int, str, str]]
    float_rows: list[FloatRow]
    speeds: list[SpeedRow]
    unknown: list[str]
    key: list[_KeyEntry]
    rows: list[view.Row]
    elsewhere: list[ForeignEngines]
    search: SearchView | None
    search_chart: Any
    intervals: str


@dataclass(frozen=True, kw_only=True)
class _Load:
    """Scenarios of an engine: headings with whether their column is of numbers, rows, sentences."""

    headings: list[tuple[str, bool]]
    rows: list[tuple[str, ...]]
    basis: str
    notes: list[str]


def render_html(result: Result, build: Result | None = None, quoted: Sequence[Quote] = ()) -> str:
    """The report of `result` as the text of one HTML file.

    Args:
        result: What is reported: a bench (on data the choice never saw), or a build.
        build: The evidence of the build that made the measured package, with all candidates; shown as why it chose.
        quoted: Samples that engines answer otherwise than the baseline: whoever gets the report can read them.

    Raises:
        InputError: `result` and `build` do not belong together.
        MissingDependencyError: The libraries of `edgewright[report]` are not installed.
    """
    page = template("report.html.j2")
    check(result, build)
    results = [result] if build is None else [result, build]
    known = numbers(result, build)
    rendered: str = page.render(
        result=result,
        build=build,
        chosen=result.engine(result.chosen),
        rungs=words.RUNGS,
        basis=basis(result, build),
        figures=headline(result),
        float_title=TITLE,
        warnings=warnings(result, build),
        sections=[_section(one, _title(one, build), known) for one in results],
        results=results,
        environment=view.environment(results),
        budget=words.budget,
        quoted=quoted,
        load=_load(result.engine(result.chosen)),
        known=known,
        not_here=NOT_HERE,
        cold_condition=CONDITION,
        counted=COUNTED,
    )
    return rendered


def _load(engine: EngineResult) -> _Load | None:
    if not engine.scenarios:
        return None
    return _Load(
        headings=[(name, index in NUMBERS) for index, name in enumerate(HEADINGS)],
        rows=scenario_rows(engine.scenarios),
        basis=scenario_basis(engine.scenarios),
        notes=scenario_notes(engine.scenarios),
    )


def _title(result: Result, build: Result | None) -> str:
    if result.kind == "build":
        return "Why this engine: all candidates"
    if unseen(result, build):
        return "Figures to quote: data not used for the choice"
    return "Measured again on the data used for the choice"


def _section(whole: Result, title: str, known: Mapping[str, int]) -> _Section:
    result = overview(whole)
    rows = view.table(result, known)
    shown = {point.name: point for point in points(result, known)}
    return _Section(
        result=result,
        title=title,
        scatter=finished(scatter_svg(result, known, f"{result.kind}-scatter")),
        spread=finished(spread_svg(result, known, f"{result.kind}-spread")),
        beyond=beyond_axis(result),
        cold_chart=finished(cold_start_svg(result, known, f"{result.kind}-cold-start")),
        cold_starts=[
            (known[engine.name], engine.name, cold_start_words(start)) for engine, start in cold_starts(result)
        ],
        energies=[(known[engine.name], engine.name, words) for engine, words in energies(result)],
        speeds=speed_rows(result),
        unknown=unknown_words(result),
        key=_key(rows, shown),
        rows=rows,
        elsewhere=foreign_engines(result.engines),
        float_rows=float_rows(result),
        search=search_view(whole, known),
        search_chart=finished(search_svg(whole, f"{result.kind}-search")),
        intervals=_intervals(rows),
    )


def _intervals(rows: list[view.Row]) -> str:
    """The confidence of the intervals of percentiles, in words; empty where no row has any."""
    latencies = (latency for row in rows if (latency := timed(row.engine)))
    return next((words.confidence(one) for latency in latencies for one in latency.intervals.values()), "")


def _key(rows: list[view.Row], shown: Mapping[str, Point]) -> list[_KeyEntry]:
    groups: dict[tuple[object, ...], _KeyEntry] = {}
    for row in rows:
        engine, point = row.engine, shown.get(row.engine.name)
        marker, status, reasons = words.MARKERS[row.role], row.status, row.notes
        if row.role != "failed" and point is None:
            marker, status = words.NOTHING, f"{status}, no point"
            if engine.rung != "measured":
                reasons = (*reasons, f"{engine.rung.capitalize()}: {words.RUNGS[engine.rung]}.")
        elif point is not None and point.below_scale:
            marker, status = "▼", f"{status}, below the scale at {words.percent(point.share.value)}"
        # Those that failed alike share a line; engines with nothing to explain keep their own.
        key = (marker, status, reasons or engine.name)
        before = groups[key].engines if key in groups else ()
        groups[key] = _KeyEntry(marker, row.role, status, (*before, (row.number, engine.name)), reasons)
    return list(groups.values())
