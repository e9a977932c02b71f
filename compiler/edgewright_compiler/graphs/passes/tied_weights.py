"""Tied weights: an embedding that is also the last layer is stored once.

Exporters fold the transposition of the embedding into a second copy, for a small language model the larger part of
its bytes. Here the product takes the embedding through a Transpose again, which ONNX Runtime folds when it loads the
graph. Quantizers know weights by their being constants of the product, so they get the folded form.
"""

from __future__ import annotations

import numpy as np
import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import every_graph, every_node, visible_graphs
from edgewright_compiler.graphs.passes.weights import array_of, is_matrix, turned, value_names

_SWAPPED = [1, 0]


class TieWeights(InPlacePass):
    """Take second copies of embeddings, the other way round, from the embedding. What nothing reads then stays."""

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Replace the copies."""
        gathers = [node for node in every_node(model) if node.op_type == "Gather" and is_matrix(node.inputs[0])]
        embeddings = [node.inputs[0] for node in gathers]
        visible = visible_graphs(model)
        modified = False
        for graph in every_graph(model):
            within = [value for value in embeddings if value is not None and value.graph in visible[graph]]
            for node in list(graph):
                weight = node.inputs[1] if node.op_type == "MatMul" else None
                if weight is None or not is_matrix(weight):
                    continue
                source = next((value for value in within if _is_turned(value, weight)), None)
                if source is not None:
                    turn = onnx_ir.node("Transpose", [source], attributes={"perm": _SWAPPED})
                    graph.insert_before(node, turn)
                    node.replace_input_with(1, turn.outputs[0])
                    modified = True
        return PassResult(model, modified)


class UntieWeights(InPlacePass):
    """Fold transpositions of weights into weights of their own. What nothing reads then stays."""

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Fold them."""
        names = value_names(model)
        modified = False
        for graph in every_graph(model):
            for node in list(graph):
                source = node.inputs[0] if node.op_type == "Transpose" else None
                # An output of the graph has its name from the node that makes it.
                if source is None or not is_matrix(source) or not _swaps(node) or node.outputs[0].is_graph_output():
                    continue
                node.outputs[0].replace_all_uses_with(turned(source, names))
                graph.remove(node, safe=True)
                modified = True
        return PassResult(model, modified)


def _is_turned(embedding: onnx_ir.Value, weight: onnx_ir.Value) -> bool:
    one, other = embedding.const_value, weight.const_value
    assert one is not None, "a matrix has its numbers"
    assert other is not None, "a matrix has its numbers"
    same = tuple(one.shape) == tuple(reversed(tuple(other.shape)))
    return same and np.array_equal(array_of(embedding).T, array_of(weight))


def _swaps(node: onnx_ir.Node) -> bool:
    order = node.attributes.get("perm")
    return order is None or list(order.as_ints()) == _SWAPPED
