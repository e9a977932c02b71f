"""The report as a compact table for a pull request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from edgewright_benchmarks.judging.foreign_engines import NOT_HERE, foreign_engines, is_foreign
from edgewright_benchmarks.report import view, words
from edgewright_benchmarks.report.facts import check, notes, numbers, warnings
from edgewright_benchmarks.report.headline import Figure, basis, headline
from edgewright_benchmarks.report.quotes import Quote
from edgewright_benchmarks.result import Result

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
    what = f"{_text(chosen.provider)}, {_text(chosen.precision)}, {rung}."
    blocks = [f"### {_text(result.model)}: {_code(result.chosen)}", f"{what} {_text(result.reason)}"]
    noted = [
        f"> **Warning{f' ({warning.source})' if warning.source else ''}:** {_text(warning.text)}"
        for warning in warnings(result, build)
    ]
    if noted:
        blocks.append("\n>\n".join(noted))
    blocks.append("\n".join(_figure(figure) for figure in headline(result)))
    if result.measure == "agreement":
        blocks.append("The samples have no labels: every figure is agreement with the float model, **not accuracy**.")
    blocks += [_text(basis(result, build)), _table(result, known), *_reasons(result, known)]
    if build is not None:
        blocks += [
            "<details><summary>Why this engine: all candidates, on the evaluation data (do not quote these)</summary>",
            *([_text(build.reason)] if build.reason != result.reason else []),
            _table(build, known),
            *_reasons(build, known),
            "</details>",
        ]
    if quoted:
        listed = [f"- {one.number} {_code(one.text)}: {', '.join(map(_code, one.engines))}" for one in quoted]
        blocks += [
            "<details><summary>Samples whose prediction differs from the float baseline</summary>",
            "\n".join(listed),
            "</details>",
        ]
    rows = view.environment([result] if build is None else [result, build])
    lines = [
        f"- {label}: {' (bench); '.join(map(_text, texts))}{' (build)' * (len(texts) > 1)}" for label, texts in rows
    ]
    blocks += ["<details><summary>How it was measured</summary>", "\n".join(lines), "</details>"]
    return "\n\n".join(blocks) + "\n"


def _figure(figure: Figure) -> str:
    lines = f" ({_text('; '.join(figure.lines))})" if figure.lines else ""
    return f"- {figure.label}: **{_text(figure.value)}**{lines}"


def _table(result: Result, known: Mapping[str, int]) -> str:
    rows = view.table(result, known)
    headings = [name for name in rows[0].cells if name not in _LEFT_OUT]
    lines = [
        _line(["", "Engine", "Status", "Rung", *headings]),
        "| ---: | --- | --- | --- |" + " ---: |" * len(headings),
    ]
    for row in rows:
        status = f"**{row.status}**" if row.engine.name == result.chosen else row.status
        cells = [_cell(row.cells[heading]) for heading in headings]
        lines.append(_line([str(row.number), _code(row.engine.name), status, row.rung, *cells]))
    return "\n".join(lines)


def _cell(cell: view.Cell) -> str:
    return _text(f"{cell.value} ({cell.note})" if cell.note else cell.value)


def _reasons(result: Result, known: Mapping[str, int]) -> list[str]:
    noted = [(engine, notes(engine)) for engine in result.engines if not is_foreign(engine)]
    lines = [
        f"- {known[e.name]} {_code(e.name)} {e.status}: {_text(' '.join(reasons))}" for e, reasons in noted if reasons
    ]
    for others in foreign_engines(result.engines):
        names = ", ".join(map(_code, others.names))
        lines.append(f"- {NOT_HERE.capitalize()}: {names}. {_text(others.reason)}")
    return ["\n".join(lines)] if lines else []


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """`text` as plain words: it starts no markup, no HTML, no table cell, no line and calls nobody's name."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An underscore inside a word is not markup, and a name is easier to read without the backslash.
    text = re.sub(r"([\\`*{}\[\]|~$#]|(?<!\w)_|_(?!\w))", r"\\\1", text)
    return text.replace("@", "@\u200b")


def _code(name: str) -> str:
    """`name` as a code span that no character in it can end."""
    name = " ".join(name.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", name)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{name}{pad}{fence}"
