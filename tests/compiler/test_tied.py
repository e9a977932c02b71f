"""An embedding that is also the last layer: stored once, and found by quantizers all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgewright_compiler.graphs.exported import GRAPH_FILE, copy_graph, save_graph
from edgewright_compiler.graphs.passes.contract import edit
from edgewright_compiler.graphs.passes.tied_weights import TieWeights, UntieWeights
from edgewright_compiler.graphs.quantize import quantize
from edgewright_targets import Recipe
from exact import exact_output

TOKENS, WIDTH = 96, 32


@pytest.fixture
def model() -> Any:
    """Embeddings, and scores of all tokens: their products with every embedding."""
    weight = np.random.default_rng(7).normal(size=(TOKENS, WIDTH)).astype(np.float32)
    kept = {
        name: ir.Value(
            name=name,
            shape=ir.Shape(array.shape),
            type=ir.TensorType(ir.DataType.FLOAT),
            const_value=ir.tensor(array, name=name),
        )
        for name, array in (("embedding", weight), ("head", np.ascontiguousarray(weight.T)))
    }
    ids = ir.Value(name="ids", shape=ir.Shape(["n"]), type=ir.TensorType(ir.DataType.INT64))
    gather = ir.node("Gather", [kept["embedding"], ids])
    product = ir.node("MatMul", [gather.outputs[0], kept["head"]])
    (scores,) = product.outputs
    scores.name, scores.shape, scores.type = "scores", ir.Shape(["n", TOKENS]), ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph(
        [ids], [scores], nodes=[gather, product], initializers=list(kept.values()), opset_imports={"": 20}, name="tied"
    )
    return ir.Model(graph, ir_version=10)


def scores_of(path: Path) -> np.ndarray[Any, Any]:
    options = onnxruntime.SessionOptions()
    folder = path.parent / "weights"
    if folder.is_dir():
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"ids": np.arange(10)})[0])


def test_tied_weights_are_one_and_the_answers_the_same(model: Any, tmp_path: Path) -> None:
    ir.save(model, tmp_path / "before.onnx")
    assert edit(model, TieWeights(), RemoveUnusedNodesPass())
    assert [node.op_type for node in model.graph] == ["Gather", "Transpose", "MatMul"]
    assert list(model.graph.initializers) == ["embedding"]
    ir.save(model, tmp_path / "tied.onnx")
    np.testing.assert_array_equal(scores_of(tmp_path / "tied.onnx"), scores_of(tmp_path / "before.onnx"))
    assert edit(model, UntieWeights(), RemoveUnusedNodesPass())
    assert [node.op_type for node in model.graph] == ["Gather", "MatMul"]
    assert sorted(model.graph.initializers) == ["embedding", "embedding_turned"]
    ir.save(model, tmp_path / "after.onnx")
    np.testing.assert_array_equal(scores_of(tmp_path / "after.onnx"), scores_of(tmp_path / "before.onnx"))


def test_a_last_layer_of_its_own_stays(model: Any) -> None:
    head = model.graph.initializers["head"]
    head.const_value = ir.tensor(head.const_value.numpy() + 1, name="head")
    assert not edit(model, TieWeights(), RemoveUnusedNodesPass())
    assert sorted(model.graph.initializers) == ["embedding", "head"]


@pytest.mark.parametrize("method", ["weight-only", "dynamic"])
def test_quantizers_find_a_tied_last_layer(model: Any, tmp_path: Path, method: Any) -> None:
    edit(model, TieWeights(), RemoveUnusedNodesPass())
    save_graph(model, tmp_path / "float")
    (tmp_path / "made").mkdir()
    quantize(tmp_path / "float", Recipe(method=method), [], tmp_path / "made")
    kinds = {node.op_type for node in ir.load(tmp_path / "made" / GRAPH_FILE).graph}
    assert kinds & {"MatMulNBits", "MatMulInteger"}
    expected = scores_of(tmp_path / "float" / GRAPH_FILE)
    if method == "dynamic":
        found = exact_output(copy_graph(tmp_path / "made", tmp_path / "flat"), {"ids": np.arange(10)})
    else:
        # The operator of weights alone is ONNX Runtime's own; its products are of floats.
        found = scores_of(tmp_path / "made" / GRAPH_FILE)
    gap = np.abs(found - expected).max() / np.abs(expected).max()
    assert 0 < gap < 0.05
