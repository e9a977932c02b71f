"""The first promise: a model that int8 would spoil, or slow down, ships its float engine, and the evidence says why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

import tiny_targets
from doubles import recorded_times
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result import Result
from edgewright_compiler import BuildOptions, build
from edgewright_runtime import load

CLASSES = 4
SAMPLES = 600
Array = np.ndarray[Any, Any]


def write_gemm(path: Path, matrix: Array) -> None:
    """A graph that multiplies `input` [n, features] by `matrix`, which makes `scores`."""
    given, weight = _input(matrix.shape[0]), _constant("weight", matrix.astype(np.float32))
    _save([ir.node("MatMul", [given, weight])], [weight], path)


def write_pools(path: Path, pools: int) -> None:
    """A graph whose `scores` are the first of eight numbers of `input`, each the mean of a plane after all the pools.

    Every plane holds one number everywhere, so that pools change nothing and eight bits lose nothing.
    """
    given, plane = _input(8), np.ones((1, 16 * 32), np.float32)
    constants = [
        _constant("spread", np.kron(np.eye(8, dtype=np.float32), plane)),
        _constant("planes", np.array([-1, 8, 16, 32])),
        _constant("row", np.array([-1, 8 * plane.size])),
        _constant("means", np.kron(np.eye(8, CLASSES, dtype=np.float32), plane.T / plane.size)),
    ]
    spread, planes, row, means = constants
    nodes = [ir.node("MatMul", [given, spread])]
    nodes.append(ir.node("Reshape", [nodes[-1].outputs[0], planes]))
    for _ in range(pools):
        nodes.append(ir.node("MaxPool", [nodes[-1].outputs[0]], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}))
    nodes.append(ir.node("Reshape", [nodes[-1].outputs[0], row]))
    nodes.append(ir.node("MatMul", [nodes[-1].outputs[0], means]))
    _save(nodes, constants, path)


def _input(features: int) -> ir.Value:
    return ir.Value(name="input", shape=ir.Shape(["n", features]), type=ir.TensorType(ir.DataType.FLOAT))


def _constant(name: str, array: Array) -> ir.Value:
    return ir.Value(name=name, const_value=ir.tensor(array, name=name))


def _save(nodes: Sequence[ir.Node], constants: Sequence[ir.Value], path: Path) -> None:
    given, made = nodes[0].inputs[0], nodes[-1].outputs[0]
    assert given is not None
    made.name, made.shape, made.type = "scores", ir.Shape(["n", CLASSES]), ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph([given], [made], nodes=nodes, initializers=constants, opset_imports={"": 20}, name="tiny")
    ir.save(ir.Model(graph, ir_version=10), path)


def build_labelled(folder: Path, inputs: Array, labels: Array, target: str = "host") -> Result:
    """Build `folder/model.onnx` with half of the samples for calibration and all of them, shuffled, for evaluation."""
    np.savez(folder / "calibration.npz", input=inputs[::2])
    np.savez(folder / "evaluation.npz", input=inputs, label=labels)
    options = BuildOptions(
        output=folder / "model.ortpackage",
        targets=(target,),
        calibration=folder / "calibration.npz",
        evaluation=folder / "evaluation.npz",
        meter=MeterSettings(rounds=9, calls=60, loads=1, threads=1),
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
    write_gemm(folder / "model.onnx", decide)
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


# Seconds of a call in nine rounds of this very graph, on two processors that others used as well: pools of floats are
# written in vector instructions, pools of bytes are not.
RECORDED = {
    "tiny-cpu-fp32": (0.000191, 0.000271, 0.000377, 0.000324, 0.000340, 0.000195, 0.000208, 0.000190, 0.000190),
    "tiny-cpu-int8": (0.005393, 0.002083, 0.006243, 0.005687, 0.002840, 0.003991, 0.002112, 0.003916, 0.002056),
}


@pytest.mark.slow
@pytest.mark.parametrize("swapped", [False, True])
def test_a_slower_int8_engine_does_not_ship(swapped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built and answered as ever, and timed by readings that were recorded; with those of the other it would ship."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    names = list(RECORDED)
    recorded_times(monkeypatch, dict(zip(names, list(RECORDED.values())[:: -1 if swapped else 1], strict=True)))
    write_pools(tmp_path / "model.onnx", pools=60)
    labels = np.random.default_rng(7).integers(CLASSES, size=SAMPLES)
    inputs = np.eye(8, dtype=np.float32)[labels]
    result = build_labelled(tmp_path, inputs, labels, str(tiny_targets.write_target(tmp_path / "tiny.toml")))
    assert result.engine(result.chosen).precision.startswith("int8") == swapped
    for engine in int8(result):
        assert engine.accuracy is not None
        assert engine.accuracy.drop.high <= result.max_drop
        if swapped:
            continue
        assert engine.status == "refused"
        assert any("baseline latency" in reason for reason in engine.reasons), engine.reasons
