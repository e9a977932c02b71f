"""Quantized activations as unsigned bytes: what ONNX Runtime's integer kernels on x86-64 take.

NNCF chooses int8 where numbers are negative, and uint8 elsewhere. With 128 added to the byte and to its zero point, a
signed byte is an unsigned one for the same number, so what the graph computes stays the same.
"""

from __future__ import annotations

import numpy as np
import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import every_node, refuse_functions
from edgewright_compiler.graphs.passes.weights import constant, new_weight, value_names

# From a signed byte to the unsigned one.
_SHIFT = 128


class UnsignedActivations(InPlacePass):
    """Turn each int8 QDQ pair whose numbers are computed into one of uint8; weights stay signed."""

    def requires(self, model: onnx_ir.Model) -> None:
        """No functions, which cannot hold the new zero points."""
        refuse_functions(model, "Unsigned activations")

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Give such pairs zero points of their own: weights may share the old ones."""
        names = value_names(model)
        made: dict[tuple[onnx_ir.Graph, onnx_ir.Value], onnx_ir.Value] = {}
        found = [pair for node in every_node(model) if (pair := _signed_pair(node))]
        for pair in found:
            for node in pair:
                graph, zero = node.graph, constant(node.inputs[2])
                assert isinstance(graph, onnx_ir.Graph), "a node of a pair lies in a graph"
                assert zero is not None, "a node of a pair has a zero point"
                key = (graph, zero.value)
                if key not in made:
                    array = (zero.tensor.numpy().astype(np.int16) + _SHIFT).astype(np.uint8)
                    made[key] = new_weight(graph, f"{zero.value.name}_unsigned", array, names)
                node.replace_input_with(2, made[key])
            pair[0].outputs[0].dtype = onnx_ir.DataType.UINT8
        return PassResult(model, bool(found))


def _signed_pair(node: onnx_ir.Node) -> list[onnx_ir.Node]:
    """The node and those that dequantize what it gives, where it quantizes to int8 with a zero point; else none."""
    if node.op_type != "QuantizeLinear" or node.outputs[0].is_graph_output():
        return []
    pair = [node, *(use.node for use in node.outputs[0].uses())]
    if any(one.op_type != "DequantizeLinear" for one in pair[1:]):
        return []
    zeros = [constant(one.inputs[2]) if len(one.inputs) > 2 else None for one in pair]
    signed = all(zero is not None and zero.tensor.dtype == onnx_ir.DataType.INT8 for zero in zeros)
    return pair if signed else []
