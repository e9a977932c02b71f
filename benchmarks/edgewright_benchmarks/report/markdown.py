"""The report as a compact table for a pull request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from edgewright_benchmarks.report import view, words
from edgewright_benchmarks.report.facts import check_pair, numbers, warnings
from edgewright_benchmarks.result import Result

# What matters in a review; the page has the rest.
_COLUMNS: Final = ("p50", "p95", "Speed", "Size", "Peak memory")


def render_markdown(result: Result, build: Result | None = None) -> str:
    """The report of `result` as GitHub-flavoured Markdown.

    Args:
        result: What is reported: a bench (on data the choice never saw), or a build.
        build: The evidence of the build that made the same choice; folded in below as why it was chosen.

    Raises:
        InputError: `result` and `build` do not belong together.
    """
    check_pair(result, build)
    known = numbers(result, build)
    chosen = result.engine(result.chosen)
    what = f"{_text(chosen.provider)}, {_text(chosen.precision)}, **{chosen.rung}** ({words.RUNGS[chosen.rung]})."
    blocks = [f"### {_text(result.model)}: {_code(result.chosen)}", f"{what} {_text(result.reason)}"]
    noted = [
        f"> **Warning{f' ({warning.source})' if warning.source else ''}:** {_text(warning.text)}"
        for warning in warnings(result, build)
    ]
    if noted:
        blocks.append("\n>\n".join(noted))
    blocks.append("\n".join(_figure(figure) for figure in view.headline(result)))
    if result.measure == "agreement":
        blocks.append("The samples have no labels: every figure is agreement with the float model, **not accuracy**.")
    blocks += [_text(view.basis(result)), _table(result, known), *_reasons(result, known)]
    if build is not None:
        blocks += [
            "<details><summary>Why this engine: all candidates, on the evaluation data (do not quote these)</summary>",
            _text(build.reason),
            _table(build, known),
            *_reasons(build, known),
            "</details>",
        ]
    rows = view.environment([result] if build is None else [result, build])
    lines = [
        f"- {label}: {' (bench); '.join(map(_text, texts))}{' (build)' * (len(texts) > 1)}" for label, texts in rows
    ]
    blocks += ["<details><summary>How it was measured</summary>", "\n".join(lines), "</details>"]
    return "\n\n".join(blocks) + "\n"


def _figure(figure: view.Figure) -> str:
    lines = f" ({_text('; '.join(figure.lines))})" if figure.lines else ""
    return f"- {figure.label}: **{_text(figure.value)}**{lines}"


def _table(result: Result, known: Mapping[str, int]) -> str:
    rows = view.table(result, known)
    metric = next((name for name in rows[0].cells if name.startswith(_metric_start(result))), None)
    headings = [*_COLUMNS[:3], *([metric] if metric else []), words.drop_word(result.measure), *_COLUMNS[3:]]
    lines = [
        _line(["", "Engine", "Status", "Rung", *headings]),
        "| ---: | --- | --- | --- |" + " ---: |" * len(headings),
    ]
    for row in rows:
        role = f"**{row.role}**" if row.engine.name == result.chosen else row.role
        cells = [_text(row.cells[heading]) for heading in headings]
        lines.append(_line([str(row.number), _code(row.engine.name), role, row.rung, *cells]))
    return "\n".join(lines)


def _metric_start(result: Result) -> str:
    return "Agreement" if result.measure == "agreement" else "Accuracy"


def _reasons(result: Result, known: Mapping[str, int]) -> list[str]:
    engines = [engine for engine in result.engines if engine.status in ("refused", "failed") and engine.reasons]
    lines = [f"- {known[e.name]} {_code(e.name)} {e.status}: {_text(' '.join(e.reasons))}" for e in engines]
    return ["\n".join(lines)] if lines else []


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """`text` as plain words: it starts no markup, no HTML, no table cell, no line and calls nobody's name."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_{}\[\]|~$#])", r"\\\1", text)
    return text.replace("@", "@\u200b")


def _code(name: str) -> str:
    """`name` as a code span that no character in it can end."""
    name = " ".join(name.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", name)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{name}{pad}{fence}"
