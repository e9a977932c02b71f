"""Layouts: ONNX Runtime moves transposes through a graph when it loads it; what is quantized needs that before.

A network of two convolutions as exporters of channels-last frameworks write it, with eight transposes, and the same
network without any.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

from edgewright_compiler.graphs.exported import GRAPH_FILE, WEIGHTS_FOLDER
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.rewrite import compare_rewritten, rewrite
from edgewright_runtime.options import EXTERNAL_WEIGHTS_KEY
from edgewright_targets.recipe import Recipe

_LAST, _FIRST = "Transpose<perm = [0, 2, 3, 1]>", "Transpose<perm = [0, 3, 1, 2]>"
PLAIN = """
    a = Conv<pads = [1, 1, 1, 1]>(x, k0)
    b = Relu(a)
    c = Add(b, shift)
    d = Conv<pads = [1, 1, 1, 1]>(c, k1)
    e = Relu(d)
    p = GlobalAveragePool(e)
    f = Flatten(p)
    y = MatMul(f, w)
"""
PLANTED = f"""
    x0 = {_LAST}(x)
    x1 = {_FIRST}(x0)
    a0 = Conv<pads = [1, 1, 1, 1]>(x1, k0)
    a = {_LAST}(a0)
    b = Relu(a)
    c = Add(b, shift_last)
    c0 = {_FIRST}(c)
    d0 = Conv<pads = [1, 1, 1, 1]>(c0, k1)
    d = {_LAST}(d0)
    e = Relu(d)
    e0 = {_FIRST}(e)
    p = GlobalAveragePool(e0)
    f = Flatten(p)
    w0 = Transpose<perm = [1, 0]>(w)
    w1 = Transpose<perm = [1, 0]>(w0)
    y = MatMul(f, w1)
"""
INT8 = Recipe(method="static", operators=("Conv", "MatMul", "Relu"))


def _write(folder: Path, body: str) -> Path:
    """The network in a folder as an export has it; random weights of seed 7."""
    random, shapes = np.random.default_rng(7), {"k0": (16, 3, 3, 3), "k1": (16, 16, 3, 3), "w": (16, 5)}
    arrays: dict[str, Any] = {
        name: random.standard_normal(shape).astype(np.float32) / 4 for name, shape in shapes.items()
    }
    shift = random.standard_normal(16).astype(np.float32)
    arrays |= {"shift": shift.reshape(1, 16, 1, 1), "shift_last": shift}
    used = {name: array for name, array in arrays.items() if any(f"{name}{end}" in body for end in ",)")}
    declared = ", ".join(f"{ir.tensor(array).dtype.name.lower()} {name}" for name, array in used.items())
    declared = declared.replace("float ", "float[] ")
    ends = f"(float[1,3,12,12] x, {declared}) => (float[1,5] y)"
    model = ir.from_onnx_text(f'<ir_version: 10, opset_import: ["" : 20]> g {ends} {{ {body} }}')
    for value in list(model.graph.inputs[1:]):
        model.graph.inputs.remove(value)
        value.const_value = ir.tensor(used[str(value.name)], name=value.name)
        value.shape = ir.Shape(used[str(value.name)].shape)
        value.type = ir.TensorType(value.const_value.dtype)
        model.graph.register_initializer(value)
    for index, node in enumerate(model.graph):
        node.name = f"node_{index}"
    folder.mkdir()
    ir.save(model, folder / GRAPH_FILE)
    return folder


def _loaded(folder: Path, feed: dict[str, Any]) -> tuple[Counter[str], Any]:
    """Operators of the graph as ONNX Runtime runs it, and its answer."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    options.log_severity_level = 3
    options.add_session_config_entry(EXTERNAL_WEIGHTS_KEY, str(folder / WEIGHTS_FOLDER))
    session = onnxruntime.InferenceSession(str(folder / GRAPH_FILE), options, providers=["CPUExecutionProvider"])
    kinds = Counter(node.op_type for node in ir.load(folder / "optimized.onnx").graph)
    return kinds, session.run(None, feed)[0]


@pytest.fixture
def feeds() -> list[dict[str, Any]]:
    random = np.random.default_rng(8)
    return [{"x": random.standard_normal((1, 3, 12, 12)).astype(np.float32)} for _ in range(8)]


def _int8(source: Path, feeds: list[dict[str, Any]], folder: Path) -> Path:
    folder.mkdir()
    quantize(source, INT8, feeds, folder)
    return folder


def test_planted_transposes_are_gone_when_it_is_loaded(tmp_path: Path, feeds: list[dict[str, Any]]) -> None:
    plain, expected = _loaded(_write(tmp_path / "plain", PLAIN), feeds[0])
    planted, made = _loaded(_write(tmp_path / "planted", PLANTED), feeds[0])
    assert PLANTED.count("Transpose") == 8
    assert (planted, planted["Transpose"]) == (plain, 0)
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-4)


def test_in_int8_they_keep_layers_apart_unless_they_are_moved_before(
    tmp_path: Path, feeds: list[dict[str, Any]]
) -> None:
    plain, expected = _loaded(_int8(_write(tmp_path / "plain", PLAIN), feeds, tmp_path / "plain8"), feeds[0])
    source = _write(tmp_path / "planted", PLANTED)
    as_it_is, _ = _loaded(_int8(source, feeds, tmp_path / "planted8"), feeds[0])
    assert as_it_is - plain == Counter({"Relu": 2})
    assert rewrite(source, ("layouts",), tmp_path / "moved")
    compare_rewritten(tmp_path / "moved", source, {"a sample": feeds[0]})
    moved, made = _loaded(_int8(tmp_path / "moved", feeds, tmp_path / "moved8"), feeds[0])
    assert (moved["QLinearConv"], moved["Relu"]) == (2, 0)
    assert moved["Transpose"] <= plain["Transpose"]
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-4)


def test_a_graph_without_them_stays_as_it_is(tmp_path: Path) -> None:
    assert not rewrite(_write(tmp_path / "plain", PLAIN), ("layouts",), tmp_path / "made")
