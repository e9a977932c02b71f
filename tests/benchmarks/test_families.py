"""The table of families says of each engine what the evidence says, and no more."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.report_fixtures import build_result
from edgewright_benchmarks.report.words import NOTHING
from edgewright_targets import InputError

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "families.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("families", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FAMILIES = load()


def lines(text: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_every_engine_has_its_line() -> None:
    found = lines(FAMILIES._block(build_result(), "huggingface"))
    assert found["cpu-fp32"] == ["CPU", "fp32", "baseline", "measured", "Accuracy 98.00%", NOTHING, "1", "1.00"]
    assert found["cpu-int8"] == [
        "CPU",
        "int8",
        "ships",
        "measured",
        "Accuracy 97.80%",
        "0.62",
        "0.42 (0.40 to 0.44)",
        "0.25",
    ]
    assert found["cpu-int8-dynamic"][2] == "refused"
    # A failed engine has no figures, whatever rung it would have reached.
    assert found["openvino-fp32"] == ["OpenVINO", "fp32", "failed", *[NOTHING] * 5]


def test_what_did_not_work_says_why_once() -> None:
    result = build_result()
    two = tuple(
        replace(engine, status="failed", reasons=("There is no such device.",)) for engine in result.engines[-2:]
    )
    text = FAMILIES._block(replace(result, engines=(*result.engines[:-2], *two)), "onnx")
    names = [f"`{FAMILIES._short(engine)}`" for engine in two]
    assert f"- {names[0]}, {names[1]}: There is no such device." in text.splitlines()
    (refused,) = (engine for engine in result.engines if engine.status == "refused")
    assert f"- `cpu-int8-dynamic`: {' '.join(refused.reasons)}" in FAMILIES._block(result, "onnx").splitlines()


def test_no_time_below_the_first_rung() -> None:
    result = build_result()
    emulated = replace(result, engines=tuple(replace(engine, rung="emulated") for engine in result.engines))
    found = lines(FAMILIES._block(emulated, "onnx"))
    assert {row[6] for row in found.values()} == {NOTHING}
    assert found["cpu-int8"][3] == "emulated"


def test_the_table_in_a_document_is_replaced(tmp_path: Path) -> None:
    document = tmp_path / "models.md"
    document.write_text(f"before\n{FAMILIES.BEGIN}\nold\n{FAMILIES.END}\nafter\n", encoding="utf-8")
    FAMILIES.put_into(document, "new")
    text = document.read_text(encoding="utf-8")
    assert text == f"before\n{FAMILIES.BEGIN}\nnew\n{FAMILIES.END}\nafter\n"
    document.write_text("no marks\n", encoding="utf-8")
    with pytest.raises(InputError, match="no place for the table"):
        FAMILIES.put_into(document, "new")
    assert document.read_text(encoding="utf-8") == "no marks\n"
