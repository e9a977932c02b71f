"""The rows of the suite are whole, and what is joined of them is counted rightly. Nothing is built here."""

import importlib
import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.report_fixtures import build_result
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.report import words
from edgewright_benchmarks.search_trace import FloatNode, SearchTrace
from edgewright_benchmarks.statistics.intervals import least_samples
from edgewright_cli import make_parser
from edgewright_compiler import BuildOptions

BARS = Path(__file__).resolve().parents[2] / "benchmarks" / "bars"


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BARS)
    return importlib.import_module("suite")


def test_the_rows_are_builds_with_enough_samples(bar: Any) -> None:
    assert len({row.name for row in bar.ROWS}) == len(bar.ROWS) == 16
    for row in bar.ROWS:
        options = make_parser("build").parse_args(["build", *row.build, "-o", "out"])
        max_drop = BuildOptions(output="out").max_drop if options.max_drop is None else options.max_drop
        assert max_drop == pytest.approx(row.max_drop), row.name
        assert (options.evaluation, options.source) == (row.option("--evaluation"), row.source)
        # Guide and proof are different data.
        assert options.calibration, row.name
        assert options.calibration != options.evaluation, row.name
        assert row.samples >= least_samples(row.max_drop), row.name
        assert row.prepare, row.name


def test_the_mean_is_of_the_rows(bar: Any) -> None:
    mean = bar.geometric_mean([Interval(0.5, 0.4, 0.6), Interval(2.0, 1.6, 2.4)])
    assert mean.value == pytest.approx(1.0)
    assert (mean.low, mean.high) == (pytest.approx(0.8), pytest.approx(1.2))


def test_what_ships_is_joined_and_counted(bar: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result = build_result()
    ships = replace(result, chosen=result.baseline)
    built = {"intents": result, "gpt": ships}

    def kept(row: Any, *_: Any, **__: Any) -> Any:
        if row.name not in built:
            return SimpleNamespace(failure="first line\nit cannot be built", seconds=1.0)
        return SimpleNamespace(
            failure="",
            seconds=60.0,
            code=bar.code_digest() if row.name == "gpt" else "",
            result=lambda: built[row.name],
        )

    monkeypatch.setattr(bar, "built", kept)
    options = SimpleNamespace(
        only=["intents", "gpt", "fashion"], search="10m", results=tmp_path, again=False, table=None
    )
    *rows, mean, others = bar.measure(options)
    assert [one.compared for one in rows] == ["intents", "gpt", "fashion"]
    assert rows[1].ratio.value == 1
    assert "samples: " in rows[1].note
    assert ["other code" in one.note for one in rows] == [True, False, False]
    assert rows[2].verdict == "FAIL"
    assert rows[2].note == "not built: it cannot be built"
    assert math.isnan(rows[2].ratio.value)
    assert mean.ratio.value == pytest.approx(math.sqrt(rows[0].ratio.value))
    # Some rows are not the suite.
    assert (mean.verdict, others.verdict, others.ratio.value) == ("not shown", "not shown", 1 / 16)


def test_the_table_is_of_what_was_built(bar: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result = build_result()
    results = {"intents": result, "gpt": replace(result, chosen=result.baseline)}

    def kept(row: Any, *_: Any) -> Any:
        return SimpleNamespace(seconds=90.0, result=lambda: results[row.name]) if row.name in results else None

    assert bar.suite_table(tmp_path, (), "a processor") == "Nothing was built on this machine yet."
    monkeypatch.setattr(bar, "kept_build", kept)
    table = bar.suite_table(tmp_path, ("--search", "10m"), "a processor")
    assert table.startswith("2 of 16 rows, built with `--search 10m` on a processor: geometric mean ")
    lines = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    assert [line.split(" | ")[0] for line in lines] == ["| row", "| intents", "| gpt"]
    assert lines[2].split(" | ")[2:4] == ["1", words.NOTHING]
    assert lines[1].endswith(" | 1.5 |")
    assert "\n- gpt: " in table


def test_nodes_that_stayed_in_float_are_named(bar: Any) -> None:
    result = build_result()
    nodes = tuple(
        FloatNode(node=f"conv{number}", operator="Conv", component="model", reason="slower") for number in range(4)
    )
    trace = SearchTrace(seconds=9.0, bound="10m", ended="finished", float_nodes=nodes)
    ships = replace(result, chosen=result.baseline, search=trace)
    assert "In float, by node: slower: conv0, conv1, conv2 of 4." in bar.note_of(bar.ROWS[0], ships)
    assert "by node" not in bar.note_of(bar.ROWS[0], replace(result, search=trace))


def test_an_outcome_is_kept_with_what_was_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bar: Any) -> None:
    builds = importlib.import_module("_suite_builds")
    row = replace(bar.ROWS[0], prepare=(), build=("nothing-there",))
    first = builds.built(row, tmp_path, ("--rounds", "3"))
    assert "nothing-there" in first.failure
    (file,) = tmp_path.glob("*.json")
    record = json.loads(file.read_text())
    assert record["build"]["options"] == ["--rounds", "3"]
    assert file.name.startswith("intents-rounds-3-")
    record["build"] |= {"failure": "", "package": str(tmp_path)}
    file.write_text(json.dumps(record))
    assert builds.built(row, tmp_path, ("--rounds", "3")).package == str(tmp_path)
    # Another command is another build.
    assert builds.built(replace(row, build=("not-there",)), tmp_path, ("--rounds", "3")).failure


def test_the_head_tells_what_it_was_fitted_to() -> None:
    ridge = importlib.import_module("suite_models").ridge
    random = np.random.default_rng(3)
    classes = random.integers(0, 3, 90)
    features = random.normal(size=(90, 8)) + 4 * np.eye(8)[classes]
    weight, bias = ridge(features, classes, 3)
    assert ((features @ weight.T + bias).argmax(1) == classes).mean() > 0.95
