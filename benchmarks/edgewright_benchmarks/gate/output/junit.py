"""A comparison as JUnit XML: a test case for each rule. Undecided ones are skipped, or fail where that was asked."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from edgewright_benchmarks.gate.comparison import GateResult
from edgewright_targets.errors import printable


def junit_from_comparison(found: GateResult, *, undecided_fails: bool = False) -> str:
    """The rules as test cases, in the form that GitLab, Jenkins and GitHub's actions read."""
    outcomes = [_outcome(rule.verdict, undecided_fails=undecided_fails) for rule in found.rules]
    counts = {"tests": len(outcomes), "failures": outcomes.count("failure"), "skipped": outcomes.count("skipped")}
    attributes = {name: str(count) for name, count in counts.items()} | {"errors": "0"}
    suites = ET.Element("testsuites", attributes)
    suite = ET.SubElement(
        suites, "testsuite", {"name": printable(f"edgewright compare: {found.new.model}"), **attributes}
    )
    for rule, outcome in zip(found.rules, outcomes, strict=True):
        names = {
            "classname": printable(found.new.model),
            "name": printable(rule.rule),
            "file": printable(found.base.source),
        }
        case = ET.SubElement(suite, "testcase", names)
        if outcome:
            ET.SubElement(case, outcome, {"message": printable(rule.sentence)})
        else:
            ET.SubElement(case, "system-out").text = printable(rule.sentence)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _outcome(verdict: str, *, undecided_fails: bool) -> str:
    if verdict == "fail" or (verdict == "undecided" and undecided_fails):
        return "failure"
    return "skipped" if verdict == "undecided" else ""
