"""Attention as one operator: the same numbers, and a graph that cannot be fused as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest
from onnxscript.rewriter.ort_fusions.sdpa import fuse_sdpa

from edgewright_compiler.graphs.exported import GRAPH_FILE, copy_graph
from edgewright_compiler.graphs.passes import rewrites
from edgewright_compiler.graphs.passes.contract import edit
from edgewright_compiler.graphs.passes.rewrites import Rewrite
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.rewrite import rewrite
from edgewright_targets import Recipe

# Attention of 2 heads over 16 numbers each, as torch's exporter writes it, behind a layer.
_GRAPH = """
<ir_version: 10, opset_import: ["" : 20]>
attention (float[1,n,32] x, float[1,1,n,n] mask) => (float[1,n,32] y)
<float[32,32] weight = {WEIGHT}, float half = {0.5}, int64[4] split = {0, 0, 2, 16}, int64[3] join = {0, 0, 32}>
{
  projected = MatMul(x, weight)
  parts = Reshape(projected, split)
  query = Transpose<perm = [0, 2, 1, 3]>(parts)
  key = Transpose<perm = [0, 2, 3, 1]>(parts)
  scaled_query = Mul(query, half)
  scaled_key = Mul(key, half)
  scores = MatMul(scaled_query, scaled_key)
  masked = Add(scores, mask)
  shares = Softmax<axis = -1>(masked)
  seen = MatMul(shares, query)
  back = Transpose<perm = [0, 2, 1, 3]>(seen)
  y = Reshape(back, join)
}
"""


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    values = np.random.default_rng(7).normal(size=1024) / 4
    model = ir.from_onnx_text(_GRAPH.replace("WEIGHT", ", ".join(f"{value:.6f}" for value in values)))
    give_shapes(model, 2)
    ir.save(model, tmp_path / GRAPH_FILE)
    return tmp_path / GRAPH_FILE


def give_shapes(model: ir.Model, heads: int | str) -> None:
    """As an exporter says them; there is no operator where the number of heads is not known."""
    for node in model.graph:
        for value in node.outputs:
            shape = {"parts": (1, "n", heads, 16), "query": (1, heads, "n", 16)}.get(value.name or "")
            if shape is not None:
                value.shape, value.type = ir.Shape(shape), ir.TensorType(ir.DataType.FLOAT)


def answer(path: Path) -> Any:
    random = np.random.default_rng(5)
    mask = np.where(random.random((1, 1, 9, 9)) < 0.3, np.finfo(np.float32).min, 0).astype(np.float32)
    feeds = {"x": random.normal(size=(1, 9, 32)).astype(np.float32), "mask": mask}
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, feeds)[0]


def kinds(path: Path) -> set[str]:
    return {node.op_type for node in ir.load(path).graph}


def test_attention_is_one_operator_and_gives_the_same_numbers(graph: Path) -> None:
    model = ir.load(graph)
    assert edit(model, Rewrite("attention"))
    made = graph.with_name("fused.onnx")
    ir.save(model, made)
    assert "MultiHeadAttention" in kinds(made)
    assert "Softmax" not in kinds(made)
    np.testing.assert_allclose(answer(made), answer(graph), atol=1e-6)


def test_a_graph_that_is_rewritten_half_stays_as_it_was(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The operator that stands between is left.
    monkeypatch.setitem(rewrites._REWRITES, "attention", lambda: [fuse_sdpa])
    model = ir.load(graph)
    before = ir.to_proto(model)
    assert not edit(model, Rewrite("attention"))
    assert ir.to_proto(model) == before
    ir.save(model, graph)
    assert "Softmax" in kinds(graph)


def test_the_rest_is_quantized_as_before(graph: Path, tmp_path: Path) -> None:
    made = {}
    for fused in (False, True):
        folder = tmp_path / f"fused-{fused}"
        folder.mkdir()
        float_graph = graph.parent
        if fused:
            float_graph = tmp_path / "rewritten"
            assert rewrite(graph.parent, ("attention",), float_graph)
        quantize(float_graph, Recipe(method="dynamic", operators=("MatMul",)), [], folder)
        made[fused] = copy_graph(folder, folder / "flat")
    assert ("MultiHeadAttention" in kinds(made[True])) > ("MultiHeadAttention" in kinds(made[False]))
    assert all("MatMulInteger" in kinds(path) for path in made.values())
    np.testing.assert_allclose(answer(made[True]), answer(made[False]), atol=1e-6)
