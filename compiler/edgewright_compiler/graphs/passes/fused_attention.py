"""Attention as the one operator that ONNX Runtime has for it, by the rewriter of onnxscript.

Exported, attention is two products with a softmax between them, and its scores, a number for each pair of positions,
are written to memory and read again. `MultiHeadAttention` goes over them in blocks and computes the same in floats.
"""

from __future__ import annotations

import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import EditError, every_node, refuse_functions

# Of the operator that stands between the two rewritings, and that no session knows.
_BETWEEN = "ai.onnxruntime._fusion"


class FuseAttention(InPlacePass):
    """Fuse the attention of a graph; the graph stays as it is where there is none, or not all can be fused.

    Raises:
        EditError: The rewriter fails.
    """

    def requires(self, model: onnx_ir.Model) -> None:
        """No functions: the rewriter adds an operator of another domain, and they import it apart."""
        refuse_functions(model, "The fusion of attention")

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Fuse a copy, whose weights are the same tensors, and take it."""
        from onnxscript.rewriter.ort_fusions.sdpa import fuse_sdpa
        from onnxscript.rewriter.ort_fusions.sdpa_via_mha import replace_sdpa_by_mha

        trial = model.clone()
        try:
            found = fuse_sdpa(trial)
            if found:
                replace_sdpa_by_mha(trial)
        except Exception as error:  # what the rewriter throws has no common base
            raise EditError(f"Its attention cannot be fused: {error}") from error
        if not found or any(node.domain == _BETWEEN for node in every_node(trial)):
            return PassResult(model, modified=False)
        model.graph = trial.graph
        return PassResult(model, modified=True)
