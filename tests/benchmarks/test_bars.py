"""The performance bars start, and what they hold light stays light. Nothing is timed here: the bars do that."""

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gemma
from test_layers import PLUGIN_MODULES

ROOT = Path(__file__).resolve().parents[2]
BARS = sorted(path.name for path in (ROOT / "benchmarks" / "bars").glob("[!_]*.py"))
SUITE = {"against_peers.py", "beside_work.py", "build_time.py", "search_time.py"}
BUILD = {
    "all_families.py", "all_targets.py", "emulated_agreement.py", "intake.py", "search_facts.py", "suite.py", *SUITE,
}  # fmt: skip
# Never on the way to a first answer, whatever else is installed.
HEAVY = {
    "edgewright_benchmarks", "filelock", "importlib.metadata", "jinja2", "matplotlib", "onnx", "onnx_ir", "onnxscript",
    "psutil", "scipy", "sklearn", "torch", "tqdm", "transformers", *PLUGIN_MODULES,
}  # fmt: skip
LIBRARIES = {"numpy", "onnxruntime", "tokenizers"}

_IMPORT_RUNTIME = "import edgewright_runtime"
# What a text classifier on the CPU provider takes, beside the three libraries.
_IMPORT_CALL = """
import edgewright_runtime.engine, edgewright_runtime.providers.cpu
import edgewright_runtime.steps.graph.infer, edgewright_runtime.steps.graph.labels
import edgewright_runtime.steps.text.tokenize
"""
_HELP = """
import contextlib, io
from edgewright_cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])
"""
_RUN_HELP = _HELP.replace("--help", 'run", "--help')


def modules_after(program: str) -> set[str]:
    """Names of all modules that a fresh interpreter holds after `program`."""
    listing = "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program + listing], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def modules_at_start() -> set[str]:
    """What an interpreter holds by itself here: editable installations and site customisations import things too."""
    return modules_after("pass")


@pytest.mark.parametrize("program", [_IMPORT_RUNTIME, _HELP, _RUN_HELP], ids=["import", "help", "run --help"])
def test_nothing_heavy_is_imported_before_there_is_work(program: str, modules_at_start: set[str]) -> None:
    found = modules_after(program) - modules_at_start
    assert not found & (HEAVY | LIBRARIES)


def test_a_first_call_imports_its_libraries_alone(modules_at_start: set[str]) -> None:
    assert not (modules_after(_IMPORT_CALL) - modules_at_start) & HEAVY


def test_the_programs_import_what_they_are_named_for(modules_at_start: set[str]) -> None:
    """Guards the tests above against programs that import nothing."""
    assert "edgewright_runtime" in modules_after(_IMPORT_RUNTIME) - modules_at_start
    assert "edgewright_cli.run" in modules_after(_RUN_HELP) - modules_at_start


@pytest.mark.slow
@pytest.mark.parametrize("bar", BARS)
def test_every_bar_explains_itself(bar: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "bars" / bar, "--help"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    # Bars of a build take its source, the others a package.
    assert ("source" if bar in BUILD else "--package") in done.stdout
    assert "--json" in done.stdout


@pytest.fixture
def families(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The bar of all families as a module, with a cache of its own."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "bars")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    return importlib.import_module("all_families")


@pytest.mark.slow
def test_families_go_the_whole_way(families: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The fastest of its rows: a text, a graph; what the others do is what these do."""
    assert families.main(["--only", "bert-text-classification", "--only", "onnx-opset-9", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["verdict"] for row in rows] == ["pass", "pass"]
    assert all(0 < row["largest"] < 1e-4 for row in rows)
    assert rows[0]["metric"].startswith("accuracy ")


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get(gemma.ASKED) != "1", reason=f"240 MB of Gemma's weights; {gemma.ASKED}=1 runs it")
def test_gemma_writes_the_tokens_of_its_source(families: Any) -> None:
    assert families.main(["--only", "gemma-3-270m"]) == 0


@pytest.mark.slow
def test_a_family_that_answers_otherwise_fails(
    families: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So does one of whose answers nothing is left; one that cannot be fetched is not run, and does not pass."""
    (row,) = (row for row in families.ROWS if row.name == "onnx-opset-9")

    def doubled(made: Any) -> list[Any]:
        return [{name: 2 * value for name, value in one.items()} for one in row.theirs(made)]

    def missing(folder: Path) -> Any:
        raise families.CannotFetchError("it is gone")

    rows = (
        replace(row, name="doubled", theirs=doubled),
        replace(row, name="strict", tolerance=0.0),
        replace(row, name="missing", make=missing),
    )
    monkeypatch.setattr(families, "ROWS", rows)
    assert families.main(["--json"]) == 1
    found = json.loads(capsys.readouterr().out)["rows"]
    assert [(one["name"], one["verdict"]) for one in found] == [
        ("doubled", "FAIL"), ("strict", "FAIL"), ("missing", "not run"),
    ]  # fmt: skip
    assert "numbers differ by" in found[0]["note"]
    assert "outputs differ by" in found[1]["note"]
    assert found[2]["note"] == "it is gone"


def test_no_number_is_like_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "bars")
    compare = importlib.import_module("_unlike")
    right = {"x": np.array([1.0, 2.0])}
    assert compare.largest_difference([right], [{"x": np.array([1.0, 2.5])}]) == 0.2
    # As a share of what the output is in any of the samples.
    small = {"x": np.array([0.0, 1e-6])}
    assert compare.largest_difference([right, small], [{"x": np.array([1.0, 2.5])}, {"x": np.zeros(2)}]) == 0.2
    assert compare.largest_difference([right, small], [right, {"x": np.zeros(2)}]) == 5e-7
    assert compare.largest_difference([right, {"x": np.array([1.0, np.nan])}], [right, right]) == np.inf
    assert compare.largest_difference([right, {"x": np.ones(1)}], [right, right]) == np.inf
    assert compare.largest_difference([right, {}], [right, right]) == np.inf
    assert compare.unlike([{"label": "a", "score": float("nan")}], [{"label": "a", "score": 0.5}], 1e-3)
    assert compare.unlike([{"label": "b", "score": 0.5}], [{"label": "a", "score": 0.5}], 1e-3)
    assert not compare.unlike([{"label": "a", "score": 0.5004, "more": 1}], [{"label": "a", "score": 0.5}], 1e-3)


def test_nothing_heavy_can_be_imported_on_the_device() -> None:
    """What stands for a device refuses, and says so where it does not."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import _device; sys.meta_path.insert(0, _device.Refuse()); "
        "import json, torch"
    )
    bars = str(ROOT / "benchmarks" / "bars")
    done = subprocess.run([sys.executable, "-c", program, bars], capture_output=True, text=True)
    assert "'torch' is not on this device" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["load_time", "gate", "meter_overhead", "application_overhead"])
def test_a_bar_without_a_package_says_so(name: str, tmp_path: Path) -> None:
    bar = ROOT / "benchmarks" / "bars" / f"{name}.py"
    words = ("--package", "nowhere/none.ortpackage")
    done = subprocess.run([sys.executable, bar, *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "'nowhere/none.ortpackage' is not a package" in done.stderr
    assert "Traceback" not in done.stderr
