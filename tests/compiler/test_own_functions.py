"""Functions of the user's own at `build` and `bench`: what they decide, what evidence says, what is wrong in them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from command import QUICK, Command
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_runtime import Package
from edgewright_targets import InputError

CODE = '''
import numpy as np

COLUMNS = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")

def within(predictions, ground_truth):
    """The share of patients whose progression is told to within 60."""
    found = np.array([one["progression"].item() for one in predictions])
    return abs(found - np.array(ground_truth, float)) < 60

def row(sample):
    return {"patient": np.array([[float(sample[name]) for name in COLUMNS]], np.float32)}

def rounded(outputs):
    return {"progression": np.round(outputs["progression"], -1)}

def raises(predictions, ground_truth):
    return [one["no such output"] for one in predictions]

def text(predictions, ground_truth):
    return ["good"] * len(predictions)

def whole_text(predictions, ground_truth):
    return "good"

def nan(predictions, ground_truth):
    return [0.5, 0.5, float("nan")] + [0.5] * (len(predictions) - 3)

def errors(predictions, ground_truth):
    return [1.0] + [37.5] * (len(predictions) - 1)

def one_less(predictions, ground_truth):
    return [1.0] * (len(predictions) - 1)

def nothing(sample):
    return None

def other_name(sample):
    return {"patients": np.zeros((1, 10), np.float32)}

NUMBER = 3
'''
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ridge regression on scikit-learn's diabetes patients as ONNX, its data as arrays and as a table, the code."""
    folder = tmp_path_factory.mktemp("own")
    data = load_diabetes()
    rows, right = data.data.astype(np.float32), data.target.astype(np.float32)
    fitted = Ridge(alpha=0.1).fit(rows[:300], right[:300])
    write_linear(folder / "ridge.onnx", fitted.coef_, fitted.intercept_)
    np.savez(folder / "rest.npz", patient=rows[300:], label=right[300:])
    np.savez(folder / "unlabelled.npz", patient=rows[300:])
    lines = [",".join((*data.feature_names, "label"))]
    lines += [",".join(f"{value:.7g}" for value in (*row, label)) for row, label in zip(rows, right, strict=True)]
    (folder / "rest.csv").write_text("\n".join([lines[0], *lines[301:]]), encoding="utf-8")
    return folder


def write_linear(path: Path, weights: object, bias: object) -> None:
    x = ir.Value(name="patient", shape=ir.Shape(["n", 10]), type=ir.TensorType(ir.DataType.FLOAT))
    held = {
        "w": np.asarray(weights, np.float32).reshape(-1, 1),
        "b": np.asarray(bias, np.float32).reshape(1),
    }
    values = {name: ir.Value(name=name, const_value=ir.tensor(array, name=name)) for name, array in held.items()}
    rows = ir.node("MatMul", [x, values["w"]])
    moved = ir.node("Add", [rows.outputs[0], values["b"]])
    y = moved.outputs[0]
    y.name, y.shape, y.type = "progression", ir.Shape(["n", 1]), ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph(
        [x], [y], nodes=[rows, moved], initializers=list(values.values()), opset_imports={"": 18}, name="ridge"
    )
    ir.save(ir.Model(graph, ir_version=8), path)


@pytest.fixture
def code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of its own, where the command is run: Python imports one of a name once."""
    name = f"own_functions_{next(_NUMBERS)}"
    (folder / f"{name}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    return name


def test_an_own_metric_decides_and_is_named(command: Command, code: str, folder: Path) -> None:
    output = command.folder / "ridge.ortpackage"
    own = ("--metric", f"{code}:within", "--pre", f"{code}:row", "--post", f"{code}:rounded")
    done = command(
        "build", "ridge.onnx", "--evaluation", "rest.csv", "-o", output, "--target", command.target, *QUICK, *own
    )
    assert done.code == 0, done.err
    package = Package.open(output)
    evidence = package.evidence(package.targets[0])
    data = np.load(folder / "rest.npz")
    (first,) = [one for one in evidence["engines"] if one["name"] == evidence["baseline"]]
    share = first["accuracy"]["metrics"][f"{code}:within"]["value"]
    assert 0.5 < share < 0.9
    assert first["accuracy"]["samples"] == len(data["label"])
    assert [(one["option"], one["name"]) for one in evidence["own_code"]] == [
        ("--metric", f"{code}:within"),
        ("--pre", f"{code}:row"),
        ("--post", f"{code}:rounded"),
    ]
    assert all(len(one["digest"]) == 64 for one in evidence["own_code"])
    # Of the code itself nothing is in the package.
    held = b"".join(path.read_bytes() for path in output.rglob("*") if path.is_file())
    assert b"def within" not in held
    assert b"np.round" not in held

    report = command.folder / "report.md"
    bench = command("bench", output, "--data", "rest.csv", *QUICK, *own, "--report", report)
    assert bench.code == 0, bench.err
    assert "within" in bench.out
    assert f"--metric {code}:within (SHA-256" in report.read_text(encoding="utf-8").replace("\\", "")
    plain = command("bench", output, "--data", "rest.npz", *QUICK, "--json")
    (warning,) = [one for one in json.loads(plain.out)["warnings"] if "was chosen with" in one]
    assert f"{code}:within" in warning
    assert warning.endswith("these figures are with the metric of the task.")


def test_another_code_is_another_build(command: Command, code: str, folder: Path) -> None:
    output = command.folder / "ridge.ortpackage"
    build = ("build", "ridge.onnx", "--evaluation", "rest.npz", "-o", output, "--target", command.target, *QUICK)
    own = ("--metric", f"{code}:within")
    assert command(*build, *own).code == 0
    assert "is up to date" in command(*build, *own).err
    assert "is up to date" not in command(*build).err


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        ("raises", ["KeyError: 'no such output'", "It failed in", "line 18", 'one["no such output"]']),
        ("text", ["returned 'good' (str) for sample 1", "a number from 0 to 1 for each sample"]),
        ("whole_text", ["returned 'good' (str) for 142 samples"]),
        ("nan", ["returned nan for sample 3"]),
        ("errors", ["returned 37.5 for sample 2"]),
        ("one_less", ["returned 141 scores for 142 samples"]),
        ("missing", ["'missing' does not exist in", "nothing"]),
        ("NUMBER", ["'NUMBER' is not a function"]),
    ],
)
def test_a_metric_that_is_wrong_is_refused(command: Command, code: str, metric: str, says: list[str]) -> None:
    own = ("--metric", f"{code}:{metric}")
    command.refuses_build("ridge.onnx", "--evaluation", "rest.npz", *own, says=[f"'{code}:{metric}'", *says])


@pytest.mark.parametrize(
    ("pre", "says"),
    [
        ("nothing", ["sample 1: ", "returned NoneType", "return a dict"]),
        ("other_name", ["returned the arrays patients", "inputs of the model are patient"]),
        ("row", ["KeyError: 'age'"]),
    ],
)
def test_a_preparation_that_is_wrong_is_refused(command: Command, code: str, pre: str, says: list[str]) -> None:
    own = ("--pre", f"{code}:{pre}")
    command.refuses_build("ridge.onnx", "--evaluation", "rest.npz", *own, says=[f"'{code}:{pre}'", *says])


def test_what_is_not_there_is_said(command: Command, code: str, built_text: Path, sources: Path) -> None:
    data = ("ridge.onnx", "--evaluation", "rest.npz")
    command.refuses_build(*data, "--metric", "msee", says=["no metric 'msee'", "Did you mean 'mse'"])
    command.refuses_build(*data, "--metric", "no_such_module:score", says=["there is no module 'no_such_module'"])
    command.refuses_build(*data, "--post", "round", says=["--post is 'round', which does not name a function"])
    says = ["--metric mse needs ground truth, and no data has"]
    command.refuses_build("ridge.onnx", "--calibration", "rest.npz", "--metric", "mse", says=says)
    says = ["--metric mse needs ground truth"]
    command.refuses_build("ridge.onnx", "--evaluation", "unlabelled.npz", "--metric", "mse", says=says)
    says = ["--metric mse is for the task arrays; the model is of the task text-classification"]
    command.refuses("bench", built_text, "--data", sources / "validation.csv", "--metric", "mse", says=says)


def test_a_table_for_arrays_needs_a_preparation(folder: Path, sources: Path) -> None:
    options = BuildOptions(output=folder / "p", targets=(str(sources / "tiny.toml"),), evaluation=folder / "rest.csv")
    with pytest.raises(InputError, match=r"named arrays, so its data is a \.npz file"):
        read_jobs(str(folder / "ridge.onnx"), options)
