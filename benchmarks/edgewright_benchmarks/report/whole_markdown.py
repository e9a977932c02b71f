"""The report of an application as GitHub-flavoured Markdown, for a pull request."""

from __future__ import annotations

from edgewright_benchmarks.applications.whole_result import WholeResult
from edgewright_benchmarks.markdown_text import as_text
from edgewright_benchmarks.report import words
from edgewright_benchmarks.report.markdown import figure_line, table_line
from edgewright_benchmarks.report.whole_tables import Table, whole_tables
from edgewright_benchmarks.report.whole_view import (
    check_whole,
    made_of,
    slowest_sentence,
    whole_basis,
    whole_environment,
    whole_figures,
    whole_sentence,
    whole_warnings,
)


def render_whole_markdown(result: WholeResult, built: WholeResult | None = None) -> str:
    """The report of an application as Markdown.

    Args:
        result: What is reported: a bench.
        built: The evidence of the build that made the package: thresholds and weights were found there.

    Raises:
        InputError: A time is not above zero, or `built` is of another application.
    """
    check_whole(result, built)
    made = f"{as_text(made_of(result))}, **{result.rung}** ({words.RUNGS[result.rung]})."
    blocks = [
        f"### {as_text(result.name)}: {as_text(whole_sentence(result))}",
        f"{made} {as_text(slowest_sentence(result))}",
    ]
    if noted := [f"> **Warning:** {as_text(warning.text)}" for warning in whole_warnings(result)]:
        blocks.append("\n>\n".join(noted))
    blocks.append("\n".join(figure_line(figure) for figure in whole_figures(result)))
    blocks.append(as_text(whole_basis(result, built)))
    for table in whole_tables(result, built):
        blocks += [f"**{as_text(table.title)}**", _table(table), *map(as_text, table.notes)]
    lines = [f"- {label}: {as_text(text)}" for label, text in whole_environment(result)]
    blocks += ["<details><summary>How it was measured</summary>", "\n".join(lines), "</details>"]
    return "\n\n".join(blocks) + "\n"


def _table(table: Table) -> str:
    rule = [" ---: " if number else " --- " for _, number in table.headings]
    lines = [table_line([heading for heading, _ in table.headings]), f"|{'|'.join(rule)}|"]
    return "\n".join([*lines, *(table_line([as_text(cell) for cell in row]) for row in table.rows)])
