"""Ranges by percentile and entropy from samples of different shapes, and weights of fewer bits."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import numpy_helper, parser

from edgewright_compiler.graphs.exported import copy_graph
from edgewright_compiler.graphs.quantize import quantize
from edgewright_targets import Recipe

WIDTH = 32


def layers(folder: Path) -> Path:
    """Two products with a `Relu` between them."""
    model = parser.parse_model(f"""<ir_version: 8, opset_import: ["" : 17]>
        g (float[N,{WIDTH}] x) => (float[N,{WIDTH}] y) {{
        a = MatMul(x, W1)
        b = Relu(a)
        y = MatMul(b, W2)
    }}""")
    random = np.random.default_rng(5)
    for name in ("W1", "W2"):
        array = (random.standard_normal((WIDTH, WIDTH)) * 0.3).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    folder.mkdir()
    onnx.save(model, folder / "model.onnx")
    return folder


def feeds() -> list[dict[str, np.ndarray[Any, Any]]]:
    """Samples of different lengths, with one value far outside."""
    random = np.random.default_rng(2)
    found = [{"x": random.standard_normal((rows, WIDTH)).astype(np.float32)} for rows in (40, 3, 80, 40)]
    found[1]["x"][0, 0] = 100
    return found


def made(tmp_path: Path, **settings: Any) -> ir.Model:
    place = tmp_path / "made"
    place.mkdir()
    quantize(layers(tmp_path / "float"), Recipe(method="static", operators=("MatMul",), **settings), feeds(), place)
    return ir.load(copy_graph(place, place / "flat"))


def constant(value: ir.Value | None) -> Any:
    assert value is not None
    return None if value.const_value is None else value.const_value.numpy()


def dequantized_weights(model: ir.Model) -> list[ir.Node]:
    return [node for node in model.graph if node.op_type == "DequantizeLinear" and constant(node.inputs[0]) is not None]


def input_range(model: ir.Model) -> float:
    """From the least to the largest number that the graph takes."""
    (use,) = model.graph.inputs[0].uses()
    assert use.node.op_type == "QuantizeLinear"
    return float(constant(use.node.inputs[1])) * 255


def test_a_percentile_leaves_out_what_is_far_outside(tmp_path: Path) -> None:
    """One of 5,216 values is 100; 99 % of them lie within 3."""
    assert input_range(made(tmp_path, calibration="percentile", percentile=99.0)) < 10


@pytest.mark.parametrize("settings", [{}, {"calibration": "percentile", "percentile": 100.0}])
def test_all_of_the_values_are_a_range_too(tmp_path: Path, settings: dict[str, Any]) -> None:
    assert input_range(made(tmp_path, **settings)) > 100


def test_entropy_has_something_to_choose(tmp_path: Path) -> None:
    assert input_range(made(tmp_path, calibration="entropy")) < 100


def test_ranges_are_found_on_some_of_the_samples(tmp_path: Path) -> None:
    """The first and the third: the value far outside is in the second."""
    assert input_range(made(tmp_path, calibration_samples=2)) < 10


@pytest.mark.parametrize(("settings", "most"), [({"reduce_range": True}, 64), ({}, 127)])
def test_a_reduced_range_is_half_of_the_weights(tmp_path: Path, settings: dict[str, Any], most: int) -> None:
    found = [constant(node.inputs[0]) for node in dequantized_weights(made(tmp_path, **settings))]
    assert len(found) == 2
    assert max(int(np.abs(array.astype(int)).max()) for array in found) == most


@pytest.mark.parametrize("per_channel", [True, False])
def test_a_scale_for_each_channel_or_one(tmp_path: Path, per_channel: bool) -> None:
    nodes = dequantized_weights(made(tmp_path, per_channel=per_channel))
    assert [constant(node.inputs[1]).size for node in nodes] == [WIDTH if per_channel else 1] * 2
