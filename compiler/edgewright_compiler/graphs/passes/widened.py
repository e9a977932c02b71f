"""Floats that are narrowed to 16 bits and widened again at once.

ONNX Runtime's converter puts both around each node that keeps 32 bits, so between two of them values would be rounded.
"""

from __future__ import annotations

import onnx_ir

from edgewright_compiler.graphs.passes.contract import GraphPass

_HALF = onnx_ir.DataType.FLOAT16
_FULL = onnx_ir.DataType.FLOAT


class TakeUnrounded(GraphPass):
    """Take a float32 that was narrowed to float16 and widened again as it was. What nothing reads then goes."""

    def edit_graph(self, graph: onnx_ir.Graph) -> bool:
        """Take them."""
        modified = False
        for node in list(graph):
            narrow = node.inputs[0].producer() if _casts(node, _FULL) and node.inputs[0] is not None else None
            if narrow is None or not _casts(narrow, _HALF) or narrow.graph is not graph:
                continue
            value, wide = narrow.inputs[0], node.outputs[0]
            if value is None or value.dtype != _FULL:
                continue
            if wide.is_graph_output():
                # An output of the graph keeps its name: it becomes what was computed, where that is no output too.
                if value.producer() is None or value.is_graph_output():
                    continue
                wide.name, value.name = value.name, wide.name
            wide.replace_all_uses_with(value, replace_graph_outputs=True)
            graph.remove(node, safe=True)
            if not narrow.outputs[0].uses() and not narrow.outputs[0].is_graph_output():
                graph.remove(narrow, safe=True)
            modified = True
        return modified


def _casts(node: onnx_ir.Node, kind: onnx_ir.DataType) -> bool:
    return node.op_type == "Cast" and node.attributes.get_int("to") == kind
