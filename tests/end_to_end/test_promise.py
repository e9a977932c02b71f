"""The first promise: a model that int8 would spoil, or slow down, ships its float engine, and the evidence says why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

from edgewright_benchmarks.meter import MeterSettings
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result import EngineResult, Result
from edgewright_compiler import BuildOptions, build
from edgewright_runtime import load

CLASSES = 4
SAMPLES = 600
Array = np.ndarray[Any, Any]


def write_gemms(path: Path, matrices: Sequence[Array]) -> None:
    """A graph that multiplies `input` [n, features] by each matrix in turn; the last makes `scores`."""
    value = ir.Value(
        name="input", shape=ir.Shape(["n", matrices[0].shape[0]]), type=ir.TensorType(ir.DataType.FLOAT)
    )  # fmt: skip
    first, nodes, weights = value, [], []
    for index, matrix in enumerate(matrices):
        name = f"weight_{index}"
        weight = ir.Value(name=name, const_value=ir.tensor(matrix.astype(np.float32), name=name))
        node = ir.node("MatMul", [value, weight])
        value = node.outputs[0]
        nodes.append(node)
        weights.append(weight)
    value.name, value.shape, value.type = "scores", ir.Shape(["n", CLASSES]), ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph([first], [value], nodes=nodes, initializers=weights, opset_imports={"": 20}, name="gemms")
    ir.save(ir.Model(graph, ir_version=10), path)


def build_labelled(folder: Path, inputs: Array, labels: Array) -> Result:
    """Build `folder/model.onnx` with half of the samples for calibration and all of them, shuffled, for evaluation."""
    np.savez(folder / "calibration.npz", input=inputs[::2])
    np.savez(folder / "evaluation.npz", input=inputs, label=labels)
    options = BuildOptions(
        output=folder / "model.ortpackage",
        calibration=folder / "calibration.npz",
        evaluation=folder / "evaluation.npz",
        meter=MeterSettings(rounds=9, calls=60, loads=1),
        threads=1,
    )
    return build(str(folder / "model.onnx"), options).result


def int8(result: Result) -> list[EngineResult]:
    engines = [engine for engine in result.engines if engine.precision.startswith("int8") and engine.latency]
    assert {engine.provider for engine in engines} >= {"CPUExecutionProvider"}
    return engines


@pytest.fixture(scope="module")
def outliers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """One channel a thousand times larger than those that decide: one scale for all of them rounds the rest away."""
    folder = tmp_path_factory.mktemp("outliers")
    random = np.random.default_rng(7)
    decide = random.normal(size=(256, CLASSES))
    decide[0] = 0
    write_gemms(folder / "model.onnx", [decide])
    inputs = random.normal(size=(SAMPLES, 256)).astype(np.float32)
    labels = (inputs @ decide).argmax(axis=1)
    inputs[:, 0] = 1000 * random.choice([-1, 1], size=SAMPLES)
    return folder, build_labelled(folder, inputs, labels)


@pytest.mark.slow
def test_planted_outliers_ship_a_float_engine(outliers: tuple[Path, Result]) -> None:
    folder, result = outliers
    shipped = result.engine(result.chosen)
    assert not shipped.precision.startswith("int8")
    for engine in int8(result):
        assert engine.status == "refused"
        assert any("percentage points of accuracy" in reason for reason in engine.reasons), engine.reasons
    with load(folder / "model.ortpackage", strict=True) as model:
        assert model.engine.name == result.chosen


@pytest.mark.slow
def test_report_says_which_candidates_were_refused_and_why(outliers: tuple[Path, Result]) -> None:
    _, result = outliers
    for text in (render_html(result), render_markdown(result)):
        for engine in int8(result):
            assert engine.name in text
            assert "percentage points of accuracy" in text


@pytest.mark.slow
def test_a_slower_int8_engine_does_not_ship(tmp_path: Path) -> None:
    # Forty products of eight numbers: quantizing around each costs more than the product, and identities lose nothing.
    chain = [np.eye(8)] * 39 + [np.eye(8)[:, :CLASSES]]
    write_gemms(tmp_path / "model.onnx", chain)
    labels = np.random.default_rng(7).integers(CLASSES, size=SAMPLES)
    inputs = np.eye(8, dtype=np.float32)[labels]
    result = build_labelled(tmp_path, inputs, labels)
    assert not result.engine(result.chosen).precision.startswith("int8")
    for engine in int8(result):
        assert engine.accuracy is not None
        assert engine.accuracy.drop.high <= result.max_drop
        assert engine.status == "refused"
        assert any("baseline latency" in reason for reason in engine.reasons), engine.reasons
