"""The report as a compact table for a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.judging.foreign_engines import NOT_HERE, foreign_engines, is_foreign
from edgewright_benchmarks.markdown_text import as_code, as_text
from edgewright_benchmarks.report import view, words
from edgewright_benchmarks.report.cold_starts import CONDITION, cold_start_words, cold_starts
from edgewright_benchmarks.report.energy import energies
from edgewright_benchmarks.report.facts import check, notes, numbers, warnings
from edgewright_benchmarks.report.float_nodes import TITLE, float_rows
from edgewright_benchmarks.report.headline import Figure, basis, headline
from edgewright_benchmarks.report.quotes import Quote
from edgewright_benchmarks.report.search import overview, search_view
from edgewright_benchmarks.report.text_speed import COUNTED, speed_rows, unknown_words
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.scenarios.words import HEADINGS, NUMBERS, scenario_basis, scenario_notes, scenario_rows

# What a review can do without; the page has it.
_LEFT_OUT: Final = ("p90", "p99", "Throughput", "Load time", "Nodes per provider")


def render_markdown(result: Result, build: Result | None = None, quoted: Sequence[Quote] = ()) -> str:
    """The report of `result` as GitHub-flavoured Markdown.

    Args:
        result: What is reported: a bench (on data the choice never saw), or a build.
        build: The evidence of the build that made the measured package; folded in below as why it chose.
        quoted: Samples that engines answer otherwise than the baseline: whoever gets the report can read them.

    Raises:
        InputError: `result` and `build` do not belong together.
    """
    check(result, build)
    known = numbers(result, build)
    chosen = result.engine(result.chosen)
    rung = "**failed**" if chosen.status == "failed" else f"**{chosen.rung}** ({words.RUNGS[chosen.rung]})"
    what = f"{as_text(chosen.provider)}, {as_text(chosen.precision)}, {rung}."
    blocks = [f"### {as_text(result.model)}: {as_code(result.chosen)}", f"{what} {as_text(result.reason)}"]
    noted = [
        f"> **Warning{f' ({warning.source})' if warning.source else ''}:** {as_text(warning.text)}"
        for warning in warnings(result, build)
    ]
    if noted:
        blocks.append("\n>\n".join(noted))
    blocks.append("\n".join(figure_line(figure) for figure in headline(result)))
    if result.measure == "agreement":
        blocks.append("The samples have no labels: every figure is agreement with the float model, **not accuracy**.")
    short = overview(result)
    blocks += [as_text(basis(result, build)), _table(short, known), *_reasons(short, known)]
    blocks += _float_nodes(short, known)
    blocks += [*_cold_starts(result, known), *_energy(result, known), *_text_speed(result), *_search(result, known)]
    blocks += _scenarios(chosen)
    if build is not None:
        blocks += [
            "<details><summary>Why this engine: all candidates, on the evaluation data (do not quote these)</summary>",
            *([as_text(build.reason)] if build.reason != result.reason else []),
            _table(overview(build), known),
            *_reasons(overview(build), known),
            "</details>",
            *_float_nodes(overview(build), known),
            *_search(build, known),
        ]
    if quoted:
        listed = [f"- {one.number} {as_code(one.text)}: {', '.join(map(as_code, one.engines))}" for one in quoted]
        blocks += [
            "<details><summary>Samples whose prediction differs from the float baseline</summary>",
            "\n".join(listed),
            "</details>",
        ]
    rows = view.environment([result] if build is None else [result, build])
    lines = [
        f"- {label}: {' (bench); '.join(map(as_text, texts))}{' (build)' * (len(texts) > 1)}" for label, texts in rows
    ]
    blocks += ["<details><summary>How it was measured</summary>", "\n".join(lines), "</details>"]
    return "\n\n".join(blocks) + "\n"


def figure_line(figure: Figure) -> str:
    """A headline figure as a line of a list."""
    lines = f" ({as_text('; '.join(figure.lines))})" if figure.lines else ""
    return f"- {figure.label}: **{as_text(figure.value)}**{lines}"


def _table(result: Result, known: Mapping[str, int]) -> str:
    rows = view.table(result, known)
    headings = [name for name in rows[0].cells if name not in _LEFT_OUT]
    lines = [
        table_line(["", "Engine", "Status", "Rung", *headings]),
        "| ---: | --- | --- | --- |" + " ---: |" * len(headings),
    ]
    for row in rows:
        status = f"**{row.status}**" if row.engine.name == result.chosen else row.status
        cells = [_cell(row.cells[heading]) for heading in headings]
        lines.append(table_line([str(row.number), as_code(row.engine.name), status, row.rung, *cells]))
    return "\n".join(lines)


def _cell(cell: view.Cell) -> str:
    return as_text(f"{cell.value} ({cell.note})" if cell.note else cell.value)


def _reasons(result: Result, known: Mapping[str, int]) -> list[str]:
    noted = [(engine, notes(engine)) for engine in result.engines if not is_foreign(engine)]
    lines = [
        f"- {known[e.name]} {as_code(e.name)} {e.status}: {as_text(' '.join(reasons))}"
        for e, reasons in noted
        if reasons
    ]
    for others in foreign_engines(result.engines):
        names = ", ".join(map(as_code, others.names))
        lines.append(f"- {NOT_HERE.capitalize()}: {names}. {as_text(others.reason)}")
    return ["\n".join(lines)] if lines else []


def _scenarios(engine: EngineResult) -> list[str]:
    """How the engine keeps up with a load; nothing where no scenario was run."""
    if not engine.scenarios:
        return []
    lines = [
        table_line(HEADINGS),
        table_line([" ---: " if index in NUMBERS else " --- " for index in range(len(HEADINGS))]),
        *(table_line([as_text(cell) for cell in row]) for row in scenario_rows(engine.scenarios)),
    ]
    notes = [f"- {as_text(note)}" for note in scenario_notes(engine.scenarios)]
    parts = [f"**Under load:** {as_text(scenario_basis(engine.scenarios))}", "\n".join(lines), "\n".join(notes)]
    return [part for part in parts if part]


def _search(result: Result, known: Mapping[str, int]) -> list[str]:
    """How the engine was found: what was tried, and the nodes that stay in float; nothing without a search."""
    view = search_view(result, known)
    if view is None:
        return []
    tried = [
        table_line(["", "Engine", "Status", "Latency against float", "Loss, points", "Why it was tried"]),
        "| ---: | --- | --- | ---: | ---: | --- |",
        *(
            table_line([str(row.order), as_code(row.name), row.status, row.latency, row.drop, as_text(row.why)])
            for row in view.rows
        ),
    ]
    blocks = [as_text(view.summary), f"<details><summary>Every engine that was tried ({len(view.rows)})</summary>"]
    blocks += ["\n".join(tried), "</details>"]
    if view.nodes:
        nodes = [
            table_line(["Node", "Operator", "Reason", "Measured"]),
            "| --- | --- | --- | --- |",
            *(
                table_line(
                    [
                        as_code(f"{n.component}/{n.node}" if n.component else n.node),
                        as_text(n.operator),
                        n.reason,
                        n.figure,
                    ]
                )
                for n in view.nodes
            ),
        ]
        blocks += [f"<details><summary>Nodes that stay in float ({len(view.nodes)})</summary>", "\n".join(nodes)]
        blocks.append("</details>")
    return blocks


def _float_nodes(result: Result, known: Mapping[str, int]) -> list[str]:
    """What stays in float because of what it is, folded in; nothing where nothing does."""
    rows = float_rows(result)
    lines = []
    for row in rows:
        engines = ", ".join(f"{known[engine.name]} {as_code(engine.name)}" for engine in row.engines)
        names = f"{', '.join(map(as_code, row.names))}{row.more}"
        lines.append(f"- {engines}: {as_text(row.what)}. {as_text(row.why)} {names}")
    return [f"<details><summary>{TITLE}</summary>", "\n".join(lines), "</details>"] if lines else []


def _cold_starts(result: Result, known: Mapping[str, int]) -> list[str]:
    lines = [
        f"- {known[engine.name]} {as_code(engine.name)} {as_text(cold_start_words(start))}"
        for engine, start in cold_starts(result)
    ]
    return ["\n".join([f"Cold start, {CONDITION}:", "", *lines])] if lines else []


def _energy(result: Result, known: Mapping[str, int]) -> list[str]:
    lines = [f"- {known[engine.name]} {as_code(engine.name)} {as_text(words)}" for engine, words in energies(result)]
    return ["\n".join(["Energy:", "", *lines])] if lines else []


def _text_speed(result: Result) -> list[str]:
    rows = speed_rows(result)
    blocks = [f"- {as_text(sentence)}" for sentence in unknown_words(result)]
    if rows:
        lines = [
            table_line(["Tokens of the prompt", "Engine", "First token", "Tokens a second"]),
            "| ---: | --- | ---: | ---: |",
            *(table_line([row.prompt, as_code(row.engine), row.first_token, row.tokens_per_second]) for row in rows),
        ]
        blocks = [f"Generated texts, measured {COUNTED}:", "\n".join(lines), *blocks]
    return blocks


def table_line(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"
