"""Recurrent layers: what takes its own output again, so that each step rounds what the step before has rounded.

Three forms: operators that are recurrent, bodies of loops around which floats go, and loops written out, where one
weight is applied to what it gave before.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir

from edgewright_compiler.graphs.float_groups.circles import circles
from edgewright_compiler.graphs.float_groups.flow import MOVES, Edge, Flow, nested
from edgewright_compiler.graphs.passes.weights import constant

_OPERATORS = frozenset({"GRU", "LSTM", "RNN"})
# What may lie between two steps of a loop that is written out: no other layer, nor products of features.
_CELL = MOVES | frozenset(
    {
        *("Add", "BatchNormalization", "Clip", "Div", "HardSigmoid", "LayerNormalization", "LeakyRelu", "Mul", "Neg"),
        *("Pow", "ReduceMean", "Relu", "Sigmoid", "Softplus", "Sqrt", "Sub", "Sum", "Tanh"),
    }
)
_LEAST_STEPS = 3
_WEIGHTED = frozenset({"Conv", "Gemm", "MatMul"})
STEP = "it rounds its own state at each step"
UNROLLED = "a step of a loop that is written out: its weight is applied to what it gave before"


# A node of a body, or a state as it is given to a step.
_Place = onnx_ir.Node | onnx_ir.Value


def recurrent(flow: Flow) -> dict[onnx_ir.Node, str]:
    """The recurrent nodes of a graph, and why."""
    found = {node: STEP for node in flow.nodes if node.op_type in _OPERATORS}
    for node in flow.nodes:
        if node.op_type in ("Loop", "Scan") and "body" in node.attributes:
            found |= dict.fromkeys(_of_body(node), "floats go around the loop that it is in")
    found |= dict.fromkeys(_written_out(flow), UNROLLED)
    return found


def _of_body(loop: onnx_ir.Node) -> Iterator[onnx_ir.Node]:
    """The nodes of a body that a state goes through from one step to the next."""
    body = loop.attributes["body"].as_graph()
    flow = Flow(body)
    inputs, outputs = list(body.inputs), list(body.outputs)
    if loop.op_type == "Loop":
        # The number of the step and the condition come first.
        inputs, outputs = inputs[2:], outputs[1 : len(inputs) - 1]
    else:
        states = len(inputs) - loop.attributes.get_int("num_scan_inputs", 0)
        inputs, outputs = inputs[:states], outputs[:states]
    pairs = [(given, made) for given, made in zip(inputs, outputs, strict=True) if flow.floats(made)]
    found = _around(flow, pairs)
    # A cache that only grows rounds nothing twice.
    if any(node.op_type not in MOVES for node in found):
        for node in found:
            yield node
            yield from nested(node)


def _around(flow: Flow, states: list[tuple[onnx_ir.Value, onnx_ir.Value]]) -> list[onnx_ir.Node]:
    """The nodes on a way from a state to itself, perhaps over other states and several steps.

    Args:
        flow: Of the body.
        states: Each as it is given to a step and as the step makes it.
    """
    after: dict[_Place, list[_Place]] = {}
    for node in flow.nodes:
        after[node] = [edge.taker for edge in flow.taken[node] if flow.features(edge)]
    for given, _ in states:
        after[given] = [edge.taker for edge in flow.taken.get(given, ()) if flow.features(edge)]
    for given, made in states:
        maker = made.producer() or made
        if maker in after:
            after[maker].append(given)
    # A circle goes through a state: nodes alone have none.
    own = {place for circle in circles(after) if len(circle) > 1 for place in circle}
    return [node for node in flow.nodes if node in own]


def _written_out(flow: Flow) -> set[onnx_ir.Node]:
    """The steps of loops that are written out, with what lies between them."""
    of_weight: dict[onnx_ir.Value, set[onnx_ir.Node]] = {}
    for node in flow.nodes:
        if node.op_type in _WEIGHTED and node in flow.layers:
            for weight in filter(None, map(_weight, node.inputs[:2])):
                of_weight.setdefault(weight, set()).add(node)
    found: set[onnx_ir.Node] = set()
    for steps in of_weight.values():
        if len(steps) > 1:
            found |= _between(flow, steps)
    return found


def _weight(value: onnx_ir.Value | None) -> onnx_ir.Value | None:
    """The constant behind an input of a layer, also where it is transposed first."""
    while value is not None and (node := value.producer()) is not None and node.op_type in ("Transpose", "Identity"):
        value = node.inputs[0]
    held = constant(value)
    return held.value if held is not None else None


def _between(flow: Flow, steps: set[onnx_ir.Node]) -> set[onnx_ir.Node]:
    def follow(edge: Edge) -> bool:
        return flow.features(edge) and (edge.taker in steps or edge.taker.op_type in _CELL)

    def back(edge: Edge) -> bool:
        return flow.features(edge) and edge.giver is not None and (edge.giver in steps or edge.giver.op_type in _CELL)

    forth = flow.reached(steps, "takers", follow)
    later = steps & forth
    # Two layers that share a weight are no loop.
    if len(later) < _LEAST_STEPS - 1:
        return set()
    # What leads to a later step, and is led to by a step; the first step leads to the second.
    return (flow.reached(later, "givers", back) | later) & (forth | steps)
