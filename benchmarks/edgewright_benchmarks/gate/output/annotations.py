"""A comparison as annotations of GitHub Actions: lines on standard output that a job's page shows.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator

from edgewright_benchmarks.gate.comparison import GateResult


def annotations_from_comparison(found: GateResult, *, undecided_fails: bool = False) -> Iterator[str]:
    """A line for each rule that does not pass."""
    for rule in found.rules:
        if rule.verdict != "pass":
            error = rule.verdict == "fail" or undecided_fails
            place, title = _property(found.base.source), _property(f"{found.new.model}: {rule.rule}")
            yield f"::{'error' if error else 'warning'} file={place},title={title}::{_data(rule.sentence)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
