"""What the bar of the gate plants is what it says, and comparisons are not made twice. Nothing is timed."""

import argparse
import csv
import importlib
import json
from pathlib import Path
from typing import Any

import onnx
import pytest

from edgewright_runtime import Package, load
from edgewright_targets import InputError

BARS = Path(__file__).resolve().parents[2] / "benchmarks" / "bars"


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BARS)
    return importlib.import_module("_gate_planted")


@pytest.fixture
def planted_slower(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BARS)
    return importlib.import_module("_gate_slower")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BARS)
    return importlib.import_module("gate")


def _labels(package: Path, texts: list[str]) -> list[str]:
    with load(package) as model:
        return [model(text)[0]["label"] for text in texts]


def test_a_loss_is_that_of_the_share_that_was_planted(
    planted: Any, built_text: Path, sources: Path, tmp_path: Path
) -> None:
    data = sources / "validation.csv"
    with data.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    worse, share = planted.losing(built_text, tmp_path / "worse.ortpackage", data, points=10.0, seed=1)
    changed = sum(one != other for one, other in zip(_labels(built_text, texts), _labels(worse, texts), strict=True))
    assert changed == round(share * len(texts))
    assert 0.05 <= share <= 0.12
    # Of few samples one is more than a point.
    with pytest.raises(InputError, match="cannot be planted"):
        planted.losing(built_text, tmp_path / "none.ortpackage", data, points=0.1, seed=1)


def test_threads_and_padding_are_those_of_the_copy(planted: Any, built_text: Path, tmp_path: Path) -> None:
    fewer = planted.with_threads(built_text, tmp_path / "fewer.ortpackage", 1)
    with load(fewer, threads=None) as model:
        assert model.engine.threads == 1
    longer = planted.padded(built_text, tmp_path / "longer.ortpackage")
    assert {one.pad_to_multiple_of for one in Package.open(longer).manifest.engines.values()} == {planted.PADDING}
    with pytest.raises(InputError, match="one core"):
        planted.with_threads(built_text, tmp_path / "none.ortpackage", 0)


def test_more_work_changes_no_prediction(planted_slower: Any, built_text: Path, sources: Path, tmp_path: Path) -> None:
    with (sources / "validation.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:20]
    slower = tmp_path / "slower.ortpackage"
    planted_slower._with_products(built_text, slower, 3)
    with load(built_text) as base, load(slower) as other:
        assert [other(text) for text in texts] == [base(text) for text in texts]
        engine = Package.open(slower).manifest.engines[other.engine.name]
    graph = onnx.load(Package.open(slower).file(engine.parts["model"].model_file), load_external_data=False)
    assert sum(node.name.startswith("slowed/product") for node in graph.graph.node) == 3


def test_comparisons_that_were_made_are_read(gate: Any, built_text: Path, sources: Path, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--package", default=str(built_text))
    parser.add_argument("--rounds", type=int)
    gate.arguments(parser)
    results = tmp_path / "results.jsonl"
    words = [
        "--data",
        str(sources / "validation.csv"),
        "--results",
        str(results),
        "--repeats",
        "3",
        "--only",
        "padding",
    ]
    options = parser.parse_args(words)
    setup = gate._setup("padding", options)
    row = {"kind": "padding", "setup": setup, "verdict": "fail", "value": 0.2, "rounds": 15, "samples": 64}
    verdicts = ("fail", "undecided", "fail")
    rows = [{**row, "setup": "another"}, *({**row, "verdict": verdict} for verdict in verdicts)]
    # The last line was cut off when the call before was ended.
    results.write_text("".join(json.dumps(one) + "\n" for one in rows) + '{"kind": "pad', encoding="utf-8")
    before = results.read_text(encoding="utf-8")
    (figure,) = gate.measure(options)
    assert (figure.ratio.value, figure.verdict) == (pytest.approx(1 / 3), "FAIL")
    assert "1 undecided, 2 fail" in figure.note
    assert results.read_text(encoding="utf-8") == before
    gate._append(results, {"setup": setup})
    assert gate._read(results)[-1] == {"setup": setup}
    # Another number of busy programs is another measurement.
    assert gate._setup("padding", parser.parse_args([*words, "--beside", "0"])) != setup
