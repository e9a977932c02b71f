"""Graphs that a file of protobuf cannot hold: every method writes weights apart. The limit is made small here.

`benchmarks/bars/over_2gb.py` builds one of more than 2 GB.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnx_ir
import pytest
from onnx import serialization, version_converter

from edgewright_compiler.graphs.exported import copy_graph, load_graph, save_graph
from edgewright_compiler.graphs.low_precision import low_precision_nodes
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.rewrite import rewrite
from edgewright_targets import Recipe

LIMIT = 60_000
ROWS, WIDTH = 2000, 32
PRODUCTS = ("MatMul",)
RECIPES = {
    "static": Recipe(method="static", operators=PRODUCTS),
    "static-fp16": Recipe(method="static", operators=PRODUCTS, float_type="float16"),
    "fp8": Recipe(
        method="static",
        activation_type="float8e4m3fn",
        weight_type="float8e4m3fn",
        activation_symmetric=True,
        operators=PRODUCTS,
    ),
    "percentile": Recipe(method="static", operators=PRODUCTS, calibration="percentile"),
    "ends": Recipe(method="static", operators=("Gather", "MatMul"), float_ends=True),
    "dynamic": Recipe(method="dynamic", operators=PRODUCTS),
    "weight-only": Recipe(method="weight-only"),
    "fp16": Recipe(method="cast", float_type="float16"),
    "bf16": Recipe(method="cast", float_type="bfloat16"),
    "qnn": Recipe(method="qnn", activation_type="uint16"),
}


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let onnx write no message of more than `LIMIT` bytes, as protobuf writes none of more than 2 GB."""
    kinds: Any = serialization.registry.get("protobuf")
    whole = type(kinds).serialize_proto
    convert = version_converter.convert_version
    sizes: list[int] = []

    def serialize(self: Any, proto: Any) -> Any:
        text = whole(self, proto)
        sizes.append(len(text))
        assert len(text) < LIMIT, f"a message of {len(text)} bytes"
        return text

    def converted(model: Any, version: int) -> Any:
        assert model.ByteSize() < LIMIT, f"a message of {model.ByteSize()} bytes"
        return convert(model, version)

    monkeypatch.setattr(type(kinds), "serialize_proto", serialize)
    monkeypatch.setattr(version_converter, "convert_version", converted)
    return sizes


def write(folder: Path, opset: int) -> Path:
    """An embedding of more than the limit, in a file beside the graph, and two products."""
    ends = "g (int64[1, 6] ids) => (float[1, 6, 8] y)"
    nodes = "e = Gather(E, ids) a = MatMul(e, A) b = Relu(a) y = MatMul(b, B)"
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]> {ends} {{ {nodes} }}')
    random = np.random.default_rng(0)
    for name, shape in {"E": (ROWS, WIDTH), "A": (WIDTH, 16), "B": (16, 8)}.items():
        array = random.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    (folder / "weights").mkdir(parents=True)
    made = folder / "weights" / "m.onnx"
    onnx.save(model, made, save_as_external_data=True, location="weights.bin", size_threshold=99)
    made.rename(folder / "model.onnx")
    return folder


def feeds() -> list[dict[str, Any]]:
    random = np.random.default_rng(1)
    return [{"ids": random.integers(0, ROWS, (1, 6))} for _ in range(4)]


@pytest.mark.parametrize("opset", [12, 19])
@pytest.mark.parametrize("name", RECIPES)
def test_every_method_writes_weights_apart(name: str, opset: int, small_files: list[int], tmp_path: Path) -> None:
    folder = write(tmp_path / "float", opset)
    (tmp_path / "made").mkdir()
    quantize(folder, RECIPES[name], feeds(), tmp_path / "made")
    assert small_files or name in ("fp16", "bf16"), "nothing was written by onnx"
    model = onnx_ir.load(copy_graph(tmp_path / "made", tmp_path / "flat"))
    assert low_precision_nodes(model, half=name in ("fp16", "bf16"))


def test_patterns_are_rewritten_beside_large_weights(small_files: list[int], tmp_path: Path) -> None:
    folder = write(tmp_path / "float", 19)
    model = load_graph(folder)
    # Twice the same, and a shape that is known: both go.
    nodes = list(model.graph)
    nodes[2].replace_input_with(0, nodes[1].outputs[0])
    again = onnx_ir.node("Relu", [nodes[1].outputs[0]])
    total = onnx_ir.node("Add", [nodes[2].outputs[0], again.outputs[0]])
    nodes[3].replace_input_with(0, total.outputs[0])
    model.graph.insert_before(nodes[3], [again, total])
    save_graph(model, tmp_path / "twice")
    assert rewrite(tmp_path / "twice", ("constants", "attention", "gelu"), tmp_path / "made")
    made = onnx_ir.load(copy_graph(tmp_path / "made", tmp_path / "flat"))
    assert [node.op_type for node in made.graph].count("Relu") == 1
