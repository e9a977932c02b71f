"""Attention as the one operator that ONNX Runtime has for it, by the rewriter of onnxscript.

Exported, attention is two products with a softmax between them, and its scores, a number for each pair of positions,
are written to memory and read again. `MultiHeadAttention` goes over them in blocks and computes the same in floats.
"""

from __future__ import annotations

from pathlib import Path

# Of the operator that stands between the two rewritings, and that no session knows.
_BETWEEN = "ai.onnxruntime._fusion"


def fuse_attention(graph: Path) -> Path:
    """The file of a graph whose attention is fused, beside `graph`; `graph` itself where none is, or not all can be."""
    import onnx_ir
    from onnxscript.rewriter.ort_fusions.sdpa import fuse_sdpa
    from onnxscript.rewriter.ort_fusions.sdpa_via_mha import replace_sdpa_by_mha

    model = onnx_ir.load(graph)
    if not fuse_sdpa(model):
        return graph
    replace_sdpa_by_mha(model)
    if any(node.domain == _BETWEEN for node in model.graph):
        return graph
    made = graph.with_name("fused.onnx")
    onnx_ir.save(model, made, external_data="fused.bin")
    return made
