"""Duration predictors: what speech synthesis rounds to numbers of frames.

An error of half a frame moves all that follows. A float that layers made is rounded, and the whole number is then
summed up or says how often something is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx_ir

from edgewright_compiler.graphs.float_groups.flow import MOVES, Edge, Flow

_ROUNDING = frozenset({"Ceil", "Floor", "Round"})
# What is done to counts before they are used.
_COUNTING = (MOVES - {"Expand", "ScatterElements", "ScatterND", "Tile"}) | frozenset(
    {
        "Add",
        "Ceil",
        "Clip",
        "CumSum",
        "Div",
        "Floor",
        "Max",
        "Min",
        "Mul",
        "Neg",
        "ReduceMax",
        "ReduceSum",
        "Relu",
        "Round",
        "Sub",
    }
)
# Inputs that are counts: how often, how long, how far in all.
_REGULATORS = frozenset(
    {
        *(("ConstantOfShape", 0), ("CumSum", 0), ("Expand", 1), ("Loop", 0), ("Range", 0), ("Range", 1)),
        ("Tile", 1),
    }
)
PREDICTOR = "only a number of repetitions is made of it, and that is rounded"
COUNT = "it computes a number of repetitions"


def durations(flow: Flow) -> dict[onnx_ir.Node, str]:
    """The nodes that predict durations, and why."""
    found: dict[onnx_ir.Node, str] = {}
    for node in flow.nodes:
        if not _rounds(flow, node):
            continue
        counting, ends = _counting(flow, node)
        if counting:
            near = flow.reached([node], "givers", lambda edge: flow.features(edge) and edge.taker not in flow.layers)
            if near & flow.layers:
                found |= dict.fromkeys(counting, COUNT)
                found |= dict.fromkeys(_predictor(flow, node, counting | ends, near), PREDICTOR)
    return found


def _rounds(flow: Flow, node: onnx_ir.Node) -> bool:
    value = node.inputs[0] if node.inputs else None
    if value is None or not flow.floats(value):
        return False
    return node.op_type in _ROUNDING or (node.op_type == "Cast" and not flow.floats(node.outputs[0]))


def _counting(flow: Flow, rounding: onnx_ir.Node) -> tuple[set[onnx_ir.Node], set[onnx_ir.Node]]:
    """The nodes from where a float is rounded to where it is a count, and those that repeat something so often.

    The sum may be rounded instead of its parts.
    """

    def follow(edge: Edge) -> bool:
        return edge.taker.op_type in _COUNTING or _regulates(edge)

    after = {rounding} | flow.reached([rounding], "takers", follow)
    ends = {edge.taker for node in after for edge in flow.taken[node] if _regulates(edge)}
    summed = flow.reached([rounding], "givers", lambda edge: _arithmetic(edge.giver))
    sums = {node for node in summed if node.op_type == "CumSum" and flow.floats(node.outputs[0])}
    if not ends and not sums:
        return set(), set()
    before = flow.reached(ends, "givers", lambda edge: edge.giver in after) if ends else set()
    between = flow.reached(sums, "takers", lambda edge: edge.taker in summed) if sums else set()
    summing = {node for node in ends if node.op_type == "CumSum"}
    return {rounding} | before | summing | sums | between, ends - summing


def _regulates(edge: Edge) -> bool:
    return (edge.operator, edge.place) in _REGULATORS


def _arithmetic(node: onnx_ir.Node | None) -> bool:
    return node is not None and node.op_type in _COUNTING


def _predictor(
    flow: Flow, rounding: onnx_ir.Node, counting: Iterable[onnx_ir.Node], near: set[onnx_ir.Node]
) -> set[onnx_ir.Node]:
    """The nodes before a rounding that nothing else uses.

    Outputs of the graph are another use, but for those of the last layer and what is behind it: models show durations.
    """
    before = flow.reached([rounding], "givers", flow.features)
    own = {rounding, *counting}
    for node in reversed(flow.nodes):
        if node in own or node not in before:
            continue
        shown = any(value.is_graph_output() for value in node.outputs) and node not in near
        if not shown and all(edge.taker in own and _is_count(flow, edge) for edge in flow.taken[node]):
            own.add(node)
    return own - set(counting)


def _is_count(flow: Flow, edge: Edge) -> bool:
    """Whether what repeats something is given the number over an edge, and not the thing."""
    return _regulates(edge) or not any(_regulates(other) for other in flow.given[edge.taker])
