"""Products with an addition (Gemm) as two operators: the quantizer of weights in blocks knows products alone."""

from __future__ import annotations

import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import every_graph
from edgewright_compiler.graphs.passes.weights import is_matrix, turned, value_names


class SplitGemms(InPlacePass):
    """Write products of an activation with a constant weight and an added bias as MatMul and Add.

    What nothing reads then stays.
    """

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Split them."""
        names = value_names(model)
        modified = False
        for graph in every_graph(model):
            for node in list(graph):
                if node.op_type == "Gemm" and _is_plain(node) and is_matrix(node.inputs[1]):
                    _split(graph, node, names)
                    modified = True
        return PassResult(model, modified)


def _split(graph: onnx_ir.Graph, node: onnx_ir.Node, names: set[str]) -> None:
    first, weight, *bias = node.inputs
    assert weight is not None, "the caller has seen it"
    if node.attributes.get_int("transB", 0):
        weight = turned(weight, names)
    last = node.outputs[0]
    product = onnx_ir.node("MatMul", [first, weight], name=node.name)
    made = [product]
    if bias and bias[0] is not None:
        made.append(onnx_ir.node("Add", [product.outputs[0], bias[0]]))
    result = made[-1].outputs[0]
    result.shape, result.type = last.shape, last.type
    onnx_ir.convenience.replace_nodes_and_values(graph, node, [node], made, [last], [result])


def _is_plain(node: onnx_ir.Node) -> bool:
    scales = (node.attributes.get_float("alpha", 1.0), node.attributes.get_float("beta", 1.0))
    return scales == (1.0, 1.0) and not node.attributes.get_int("transA", 0)
