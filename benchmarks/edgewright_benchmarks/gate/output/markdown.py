"""A comparison as Markdown for a pull request."""

from __future__ import annotations

from typing import Final

from edgewright_benchmarks.gate.comparison import GateResult
from edgewright_benchmarks.gate.rows import change_rows, heading, rules_origin
from edgewright_benchmarks.markdown_text import as_code, as_text

_MARKS: Final = {"pass": "✅", "fail": "❌", "undecided": "⚠️"}


def markdown_from_comparison(found: GateResult) -> str:
    """The verdict, the rules, every figure and what makes the figures less sure, as GitHub-flavoured Markdown."""
    blocks = [
        f"### {_MARKS[found.verdict]} {as_text(found.new.model)}: {found.verdict}",
        as_text(heading(found)),
    ]
    if found.rules:
        lines = ["| rule | verdict | why |", "| --- | --- | --- |"]
        lines += [
            f"| {as_code(rule.rule)} | {_MARKS[rule.verdict]} {rule.verdict} | {as_text(rule.sentence)} |"
            for rule in found.rules
        ]
        blocks += filter(None, [as_text(rules_origin(found))])
        blocks.append("\n".join(lines))
    warned = [f"Compared by force: {fact.words()}." for fact in found.unlike]
    blocks += [f"> **Warning:** {as_text(sentence)}" for sentence in (*warned, *found.warnings)]
    lines = ["| figure | base | new | change | interval |", "| --- | ---: | ---: | ---: | --- |"]
    lines += [f"| {' | '.join(map(as_text, row.cells))} |" for row in change_rows(found)]
    if found.differing:
        lines += ["", *(f"- {as_text(fact.words())}" for fact in found.differing)]
    blocks += ["<details><summary>All figures</summary>", "\n".join(lines), "</details>"]
    return "\n\n".join(blocks) + "\n"
