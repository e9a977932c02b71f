"""A comparison as Markdown, JUnit XML, annotations, code quality and JSON of the published form."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.report_fixtures import CHOSEN, build_result
from edgewright_benchmarks.gate.comparison import GateResult
from edgewright_benchmarks.gate.output.annotations import annotations_from_comparison
from edgewright_benchmarks.gate.output.code_quality import code_quality_from_comparison
from edgewright_benchmarks.gate.output.junit import junit_from_comparison
from edgewright_benchmarks.gate.output.markdown import markdown_from_comparison
from edgewright_benchmarks.gate.output.schema import comparison_schema
from edgewright_benchmarks.gate.stored import compare_results
from edgewright_targets.record import read_record, write_record

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "ci" / "comparison.schema.json"
# One of each verdict.
RULES = "size > +1%, load > +10%, accuracy < -0.5"


@pytest.fixture
def found() -> GateResult:
    base = build_result(kind="bench")
    larger = tuple(replace(one, size_bytes=25_000_000) if one.name == CHOSEN else one for one in base.engines)
    new = replace(base, engines=larger, model="a|b <i>*", warnings=("Timing was unsteady.",))
    return compare_results(base, new, RULES, force=True, sources=("baselines/a,b.json", "new.json"))


def test_one_of_each_verdict(found: GateResult) -> None:
    assert [rule.verdict for rule in found.rules] == ["fail", "pass", "undecided"]
    assert found.verdict == "fail"


def test_markdown_shows_rules_figures_and_what_was_forced(found: GateResult) -> None:
    text = markdown_from_comparison(found)
    assert text.startswith("### ❌ a\\|b &lt;i&gt;\\*: fail")
    assert "| `size > +1%` | ❌ fail | Size changed by +8.13 %: above the limit of +1.00 %. |" in text
    assert "samples would decide" in text
    assert "> **Warning:** Compared by force: model:" in text
    assert "> **Warning:** new.json: Timing was unsteady." in text
    assert "| Latency p99 |" in text


def test_a_rule_in_markdown_is_code_without_backslashes(found: GateResult) -> None:
    rule = replace(found.rules[0], rule="a_b.c[0]*:d > +1%")
    assert "| `a_b.c[0]*:d > +1%` |" in markdown_from_comparison(replace(found, rules=(rule,)))


def test_junit_has_a_case_for_each_rule(found: GateResult) -> None:
    suites = ET.fromstring(junit_from_comparison(found))
    assert (suites.attrib["tests"], suites.attrib["failures"], suites.attrib["skipped"]) == ("3", "1", "1")
    cases = suites.findall("testsuite/testcase")
    assert [case.attrib["name"] for case in cases] == ["size > +1%", "load > +10%", "accuracy < -0.5"]
    assert [case[0].tag for case in cases] == ["failure", "system-out", "skipped"]
    strict = ET.fromstring(junit_from_comparison(found, undecided_fails=True))
    assert strict.attrib["failures"] == "2"


def test_annotations_are_escaped_as_github_asks(found: GateResult) -> None:
    error, warning = annotations_from_comparison(found)
    assert error.startswith(
        "::error file=baselines/a%2Cb.json,title=a|b <i>*%3A size > +1%25::Size changed by +8.13 %25"
    )
    assert warning.startswith("::warning file=")
    assert [line[:8] for line in annotations_from_comparison(found, undecided_fails=True)] == ["::error "] * 2


def test_code_quality_has_an_issue_for_each_rule_that_does_not_pass(found: GateResult) -> None:
    issues = json.loads(code_quality_from_comparison(found))
    assert [issue["severity"] for issue in issues] == ["major", "minor"]
    assert {issue["location"]["path"] for issue in issues} == {"baselines/a,b.json"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", issue["fingerprint"]) for issue in issues)
    assert len({issue["fingerprint"] for issue in issues}) == 2


def test_the_published_schema_is_that_of_the_code() -> None:
    text = SCHEMA.read_text(encoding="utf-8")
    assert text == json.dumps(comparison_schema(), indent=2) + "\n", (
        "python -m edgewright_benchmarks.gate.output.schema"
    )


def test_what_is_written_fits_the_published_schema(found: GateResult) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    data = json.loads(json.dumps(write_record(found), allow_nan=False))
    assert list(_misfits(schema, data, "")) == []
    assert read_record(GateResult, data, "comparison") == found
    del data["rules"][0]["sentence"]
    data["verdict"] = "perhaps"
    data["rounds"] = "many"
    assert sorted(_misfits(schema, data, "")) == ["/rounds", "/rules/0/sentence", "/verdict"]


def _misfits(schema: dict[str, object], value: object, place: str) -> list[str]:
    """Places of a value that a schema does not allow; of JSON Schema, what ours says."""
    known = {"$schema", "title", "description", "type", "properties", "required", "items", "enum"}
    assert set(schema) <= known, set(schema) - known
    if "enum" in schema:
        return [] if value in schema["enum"] else [place]  # type: ignore[operator]
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
    kind = kinds[str(schema["type"])]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):  # type: ignore[arg-type]
        return [place]
    if isinstance(value, dict):
        properties: dict[str, dict[str, object]] = schema["properties"]  # type: ignore[assignment]
        missing = [f"{place}/{name}" for name in schema["required"] if name not in value]  # type: ignore[attr-defined]
        unknown = [f"{place}/{name}" for name in value if name not in properties]
        below = [
            _misfits(properties[name], one, f"{place}/{name}") for name, one in value.items() if name in properties
        ]
        return [*missing, *unknown, *(found for places in below for found in places)]
    if isinstance(value, list):
        items: dict[str, object] = schema["items"]  # type: ignore[assignment]
        return [found for index, one in enumerate(value) for found in _misfits(items, one, f"{place}/{index}")]
    return []
