"""The first and the last layers of a graph: where 8 bits cost generators and dense predictions most."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir

# Operators that are layers where one of their inputs is a weight.
_LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})


def end_layers(model: onnx_ir.Model) -> list[str]:
    """Names of the layers that no other layer comes before, or no other after. Each node has a name of its own.

    There may be several: a generator that sums pictures of growing sizes has a last layer for each size.
    """
    nodes = list(model.graph)
    layers = set()
    for node in nodes:
        weights = [value for value in node.inputs if value is not None and value.const_value is not None]
        if node.op_type in _LAYERS and weights:
            layers.add(node)
    # Nodes lie in the order in which they can run, so one pass each way sees everything.
    behind: set[onnx_ir.Node] = set()
    for node in nodes:
        made_by = [made for value in node.inputs if value is not None and (made := value.producer()) is not None]
        if any(made in layers or made in behind for made in made_by):
            behind.add(node)
    ahead: set[onnx_ir.Node] = set()
    for node in reversed(nodes):
        used_by = [use.node for value in node.outputs for use in value.uses()]
        if any(user in layers or user in ahead for user in used_by):
            ahead.add(node)
    return sorted(str(node.name) for node in layers if node not in behind or node not in ahead)
