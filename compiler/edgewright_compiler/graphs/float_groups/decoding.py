"""Decoding after a network: boxes, grids, anchors, the best of many. It takes pixels and shares in one tensor.

One scale for coordinates up to 640 and for scores up to 1 leaves two values for the scores. So what comes after the
last layers stays in float, where it decodes: a softmax or a bias alone is left to the recipe.
"""

from __future__ import annotations

import onnx_ir

from edgewright_compiler.graphs.float_groups.constants import long_axes, takes_progression
from edgewright_compiler.graphs.float_groups.flow import Edge, Flow
from edgewright_compiler.graphs.passes.weights import constant

# Near ties change what they choose.
_CHOICES = frozenset({"ArgMax", "ArgMin", "BatchedNMS_TRT", "EfficientNMS_TRT", "NonMaxSuppression", "TopK"})
_WITH_CONSTANT = frozenset({"Add", "Concat", "Div", "Mul", "Pow", "Sub"})
CHOICE = "it chooses by values that may be nearly equal"
PLACES = "it makes the places that boxes are counted from"
AFTER = "it decodes what the last layers gave"


def decoding(flow: Flow) -> dict[onnx_ir.Node, str]:
    """The nodes that decode, and why."""
    behind = flow.reached(flow.layers, "takers", flow.features)
    ahead = flow.reached(flow.layers, "givers", flow.features)
    tail = {
        node
        for node in flow.nodes
        if node in behind and node not in ahead and node not in flow.layers and flow.computes(node)
    }
    tail -= {node for node in tail if flow.is_fused(node)}

    def within(edge: Edge) -> bool:
        return edge.giver in tail and edge.taker in tail and flow.floats(edge.value)

    found: dict[onnx_ir.Node, str] = {}
    waiting = [node for node in flow.nodes if node in tail and _decodes(node)]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        found[node] = AFTER
        ends = {edge.giver for edge in flow.given[node] if within(edge)}
        ends |= {edge.taker for edge in flow.taken[node] if within(edge)}
        for other in ends - seen:
            if other is not None:
                seen.add(other)
                waiting.append(other)

    def made_apart(edge: Edge) -> bool:
        others = edge.giver in behind or edge.giver in ahead or edge.giver in flow.layers
        return not others and flow.features(edge)

    apart = flow.reached(found, "givers", made_apart)
    found |= {node: PLACES for node in flow.nodes if node in apart and flow.computes(node)}
    return found | {node: CHOICE for node in flow.nodes if node.op_type in _CHOICES and flow.computes(node)}


def _decodes(node: onnx_ir.Node) -> bool:
    """Whether only decoding does so: choices, exponentials that are no softmax, arithmetic with places or anchors."""
    if node.op_type in _CHOICES or takes_progression(node):
        return True
    if node.op_type == "Exp":
        return not any(use.node.op_type == "ReduceSum" for use in node.outputs[0].uses())
    held = [constant(value) for value in node.inputs]
    return node.op_type in _WITH_CONSTANT and any(one is not None and long_axes(one.tensor) > 1 for one in held)
