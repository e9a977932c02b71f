"""A matrix as Markdown for a pull request."""

from __future__ import annotations

from edgewright_benchmarks.markdown_text import as_text
from edgewright_benchmarks.matrix.result import MatrixResult
from edgewright_benchmarks.matrix.rows import failures, grouped_warnings, heading, matrix_sentences, matrix_table


def markdown_from_matrix(found: MatrixResult) -> str:
    """The table, what differs, what did not run and every warning, as GitHub-flavoured Markdown."""
    shown = matrix_table(found)
    header = [as_text(name.replace("-\n", "-")) for name in shown.header]
    sides = ["---:" if index in shown.right else "---" for index in range(len(header))]
    lines = [header, sides, *([as_text(cell) for cell in row] for row in shown.rows)]
    blocks = [
        f"### {as_text(found.model)} across versions",
        as_text(heading(found)),
        *(["\n".join(f"{number}. {as_text(words)}" for number, words in shown.legend)] if shown.legend else []),
        "\n".join(f"| {' | '.join(cells)} |" for cells in lines),
    ]
    did_not = [f"Did not run: {sentence}" for sentence in failures(found)]
    if sentences := [*did_not, *matrix_sentences(found)]:
        blocks.append("\n".join(f"- {as_text(sentence)}" for sentence in sentences))
    blocks += [f"> **Warning:** {as_text(sentence)}" for sentence in grouped_warnings(found)]
    return "\n\n".join(blocks) + "\n"
