"""Models of tables: pipelines of scikit-learn on real data, from a converted file to a package that takes rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from sklearn.metrics import accuracy_score, r2_score

from command import QUICK, Command
from edgewright_runtime import Package, SampleError, load
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from fetched import CannotFetchError
from fitted_tables import Fitted, write_diabetes, write_wine


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return _fitted(lambda: write_wine(tmp_path_factory.mktemp("wine")))


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return _fitted(lambda: write_diabetes(tmp_path_factory.mktemp("diabetes")))


def _fitted(write: object) -> Fitted:
    try:
        return write()  # type: ignore[operator, no-any-return]
    except CannotFetchError as error:
        pytest.skip(str(error))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_classifier_with_missing_values(command: Command, wine: Fitted) -> None:
    out = command.folder / "wine.ortpackage"
    fixed = ("--task", "tabular-classification", "--target", command.target, "-o", out, *QUICK)
    done = command("build", wine.graph, "--evaluation", wine.data, *fixed)
    assert done.code == 0, done.err
    package = Package.open(out)
    assert package.manifest.labels == ("class_0", "class_1", "class_2")
    evidence = package.evidence("tiny")
    metrics = next(one for one in evidence["engines"] if one["status"] == "baseline")["accuracy"]["metrics"]
    right = [row["label"] for row in rows_of(wine.data)]
    theirs = wine.pipeline.predict(wine.rows.to_numpy())
    assert metrics["accuracy"]["value"] == pytest.approx(accuracy_score(right, theirs))
    shares = wine.pipeline.predict_proba(wine.rows.to_numpy())
    with load(out) as model:
        for index, row in enumerate(rows_of(wine.data)[:12]):
            (best,) = model(row)
            assert best["label"] == theirs[index]
            assert best["score"] == pytest.approx(shares[index].max(), abs=1e-3)

    told = command("run", out, wine.data, "--json")
    assert told.code == 0, told.err
    assert len(json.loads(told.out)["answers"]) == len(right)
    one = rows_of(wine.data)[1]
    told = command("run", out, *(f"{name}={cell}" for name, cell in one.items() if name != "label"))
    assert str(theirs[1]) in told.out
    command.refuses("run", out, "alcohol=12", says=["has no column 'malic_acid'", "its columns are alcohol"])
    command.refuses("run", out, "wine.txt", says=["'wine.txt' is neither a .csv file nor a cell"])
    command.refuses("run", out, says=["takes rows of a table"])


def test_a_regression_of_columns_one_of_which_is_text(command: Command, diabetes: Fitted) -> None:
    out = command.folder / "diabetes.ortpackage"
    fixed = ("--task", "tabular-regression", "--target", command.target, "-o", out, *QUICK)
    done = command("build", diabetes.graph, "--evaluation", diabetes.data, *fixed)
    assert done.code == 0, done.err
    found = rows_of(diabetes.data)
    theirs = diabetes.pipeline.predict(diabetes.rows)
    evidence = Package.open(out).evidence("tiny")
    metrics = next(one for one in evidence["engines"] if one["status"] == "baseline")["accuracy"]["metrics"]
    assert metrics["r2"]["value"] == pytest.approx(r2_score([float(row["label"]) for row in found], theirs), abs=1e-4)
    assert set(metrics) == {"r2", "mse", "mae"}
    with load(out) as model:
        assert model(found[3]) == pytest.approx(theirs[3], rel=1e-4)
    bench = command("bench", out, "--data", diabetes.data, *QUICK, "--json")
    assert bench.code == 0, bench.err


def test_a_missing_value_that_the_model_does_not_take(command: Command, wine: Fitted, tmp_path: Path) -> None:
    graph = write_linear(tmp_path / "linear.onnx")
    data = tmp_path / "rows.csv"
    task = ("--task", "tabular-regression", "--evaluation", data)
    data.write_text("a,b,label\n1,2,3\n2,,3\n", encoding="utf-8")
    says = [f"'{data}', row 2: The column 'b' is empty", "takes no missing values", "imputer"]
    command.refuses_build(graph, *task, says=says)
    data.write_text("a,b,label\n1,two,3\n2,1,4\n", encoding="utf-8")
    command.refuses_build(graph, *task, says=["row 1: The column 'b' has 'two', which is not a number"])
    data.write_text("a,b,c,label\n1,2,3,4\n2,3,4,5\n", encoding="utf-8")
    command.refuses_build(graph, *task, says=["takes 2 values; the row has 3: a, b, c"])
    data.write_text("a,b,label\n1,2,much\n2,3,4\n", encoding="utf-8")
    command.refuses_build(graph, *task, says=["line 2: the ground truth 'much' is not a number"])
    (tmp_path / "columns.txt").write_text("a\n", encoding="utf-8")
    command.refuses_build(graph, *task, says=["names 1 columns; the graph takes 2: 2 as x"])
    task = ("--task", "tabular-classification", "--evaluation", wine.data.with_suffix(".npz"))
    command.refuses_build(wine.graph, *task, says=["no data file"])


def write_linear(path: Path) -> Path:
    x = ir.Value(name="x", shape=ir.Shape(["n", 2]), type=ir.TensorType(ir.DataType.FLOAT))
    weights = ir.Value(name="w", const_value=ir.tensor(np.ones((2, 1), np.float32), name="w"))
    node = ir.node("MatMul", [x, weights])
    y = node.outputs[0]
    y.name, y.shape, y.type = "y", ir.Shape(["n", 1]), ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph([x], [y], nodes=[node], initializers=[weights], opset_imports={"": 17}, name="linear")
    ir.save(ir.Model(graph, ir_version=8), path)
    return path


@pytest.mark.parametrize(
    ("kind", "cell", "expected"),
    [
        ("float32", "1.5", 1.5),
        ("float32", 2, 2.0),
        ("int64", "3.0", 3),
        ("bool", "Yes", True),
        ("text", None, ""),
        ("text", " red ", "red"),
    ],
)
def test_cells(kind: str, cell: object, expected: object) -> None:
    step = make_free_step(StepSpec("read_row", {"inputs": {"x": {"type": kind, "columns": ["a"], "count": 1}}}))
    (found,) = step({"row": {"a": cell, "b": "ignored"}})["x"].tolist()
    assert found == [expected]


@pytest.mark.parametrize(
    ("kind", "cell", "says"),
    [
        ("int64", "1.5", "'1.5', which is not a whole number"),
        ("int64", "", "takes no missing values"),
        ("float32", "inf", "not a number"),
        ("bool", "2", "not yes or no"),
    ],
)
def test_cells_that_are_not_what_a_column_holds(kind: str, cell: str, says: str) -> None:
    inputs = {"x": {"type": kind, "columns": ["a"], "count": 1}}
    step = make_free_step(StepSpec("read_row", {"inputs": inputs, "missing": True}))
    with pytest.raises(SampleError, match=says):
        step({"row": {"a": cell}})
