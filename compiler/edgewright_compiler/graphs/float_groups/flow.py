"""How numbers flow through one graph: who takes what, what of it are features, and which nodes are layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import onnx_ir

from edgewright_compiler.graphs.float_groups.constants import long_axes, takes_progression
from edgewright_compiler.graphs.passes.weights import constant

# Operators that learned something, or mix what others learned.
LAYERS = frozenset(
    {
        *("Attention", "Conv", "ConvTranspose", "DeformConv", "Einsum", "GRU", "Gemm", "LSTM", "MatMul", "RNN"),
        *("FusedConv", "FusedGemm", "FusedMatMul", "GroupQueryAttention", "MultiHeadAttention"),
    }
)
# Operators that move numbers and compute none.
MOVES = frozenset(
    {
        *("Cast", "Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "Pad", "Reshape"),
        *("ScatterElements", "ScatterND", "Slice", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze", "Where"),
    }
)
# What runtimes fuse into the layer before it.
_FUSED = frozenset({"Clip", "HardSwish", "LeakyRelu", "PRelu", "Relu"})
# Inputs that say where, not what: operator -> their places.
_COORDINATES: Mapping[str, tuple[int, ...]] = {
    "DeformConv": (2,),
    "GridSample": (1,),
    "MaxRoiPool": (1,),
    "Resize": (1, 2, 3),
    "RoiAlign": (1, 2),
    "Upsample": (1,),
}
# Operators that look at shapes alone.
_SIZES = ("Shape", "Size")
# Operators whose outputs are never floats.
_INTEGERS = frozenset(
    {
        *("And", "ArgMax", "ArgMin", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual"),
        *("NonMaxSuppression", "NonZero", "Not", "Or", "Shape", "Size", "Xor"),
    }
)


@dataclass(frozen=True)
class Edge:
    """A value that one node of a graph gives to another.

    Attributes:
        giver: Who gives it; None for inputs of the graph.
        taker: The node of this graph that takes it, in its own inputs or in those of a graph inside it.
        value: What.
        operator: The operator that takes it, perhaps inside the taker.
        place: Which of that operator's inputs it is.
    """

    giver: onnx_ir.Node | None
    taker: onnx_ir.Node
    value: onnx_ir.Value
    operator: str
    place: int

    @property
    def coordinates(self) -> bool:
        """Whether it says where the taker looks."""
        return self.place in _COORDINATES.get(self.operator, ())


class Flow:
    """The edges of one graph, without those of graphs inside it.

    Args:
        graph: It has no functions of its own.
    """

    def __init__(self, graph: onnx_ir.Graph) -> None:
        self.graph = graph
        self.nodes = tuple(graph)
        self._floats: dict[onnx_ir.Value, bool] = {}
        self.edges: list[Edge] = []
        inside = set(self.nodes)
        for top in self.nodes:
            for node in (top, *nested(top)):
                for place, value in enumerate(node.inputs):
                    if value is None or value.is_initializer():
                        continue
                    giver = value.producer()
                    if giver in inside or (giver is None and value.graph is graph):
                        self.edges.append(Edge(giver, top, value, node.op_type, place))
            for value in top.outputs:
                self._floats[value] = self._gives_floats(top, value)
        self.given: dict[onnx_ir.Node, list[Edge]] = {node: [] for node in self.nodes}
        self.taken: dict[onnx_ir.Node | onnx_ir.Value, list[Edge]] = {node: [] for node in self.nodes}
        for edge in self.edges:
            self.given[edge.taker].append(edge)
            self.taken.setdefault(edge.value if edge.giver is None else edge.giver, []).append(edge)
        self.layers = {node for node in self.nodes if is_layer(node) or any(map(is_layer, nested(node)))}

    def floats(self, value: onnx_ir.Value) -> bool:
        """Whether a value is of floats; where the graph does not say it, its operator does."""
        if value.dtype is not None:
            return value.dtype.is_floating_point()
        return self._floats.get(value, True)

    def _gives_floats(self, node: onnx_ir.Node, value: onnx_ir.Value) -> bool:
        if value.dtype is not None:
            return value.dtype.is_floating_point()
        if node.op_type in _INTEGERS or (node.op_type == "TopK" and value.index() == 1):
            return False
        if node.op_type == "Cast":
            return onnx_ir.DataType(node.attributes.get_int("to", 1)).is_floating_point()
        if (held := constant(value)) is not None:
            return held.tensor.dtype.is_floating_point()
        # Of most operators outputs have the type of the first input, of a few that of the second.
        first = 1 if node.op_type == "Where" else 0
        if node.op_type in ("If", "ConstantOfShape") or len(node.inputs) <= first:
            return node.op_type != "ConstantOfShape" or "value" not in node.attributes
        source = node.inputs[first]
        return source is None or self.floats(source)

    def features(self, edge: Edge) -> bool:
        """Whether floats go over an edge that the taker computes with: no numbers of places, no coordinates."""
        return self.floats(edge.value) and not edge.coordinates and edge.operator not in _SIZES

    def computes(self, node: onnx_ir.Node) -> bool:
        """Whether a node takes or gives floats, and not their shape alone."""
        values = (value for value in (*node.inputs, *node.outputs) if value is not None and value.name)
        return node.op_type not in ("Constant", *_SIZES) and any(self.floats(value) for value in values)

    def is_fused(self, node: onnx_ir.Node) -> bool:
        """Whether runtimes make one operator of a node and the layer before it: a bias, or an activation that cuts."""
        before: onnx_ir.Node | None = node
        while before is not None and _may_be_fused(before):
            givers = {edge.giver for edge in self.given[before]}
            before = next(iter(givers)) if len(givers) == 1 else None
            if before in self.layers:
                return True
        return False

    def reached(
        self,
        start: Iterable[onnx_ir.Node],
        way: Literal["givers", "takers"],
        follow: Callable[[Edge], bool],
    ) -> set[onnx_ir.Node]:
        """The nodes that are reached from some over edges that `follow` takes; the first ones only if led to."""
        found: set[onnx_ir.Node] = set()
        waiting = list(start)
        while waiting:
            node = waiting.pop()
            for edge in self.given[node] if way == "givers" else self.taken[node]:
                other = edge.giver if way == "givers" else edge.taker
                if other is not None and other not in found and follow(edge):
                    found.add(other)
                    waiting.append(other)
        return found


def _may_be_fused(node: onnx_ir.Node) -> bool:
    if node.op_type in _FUSED:
        return True
    added = [held for value in node.inputs if (held := constant(value)) is not None]
    return node.op_type == "Add" and len(added) == 1 and long_axes(added[0].tensor) <= 1


def nested(node: onnx_ir.Node) -> Iterator[onnx_ir.Node]:
    """The nodes of the graphs inside a node, to any depth."""
    for attribute in node.attributes.values():
        if attribute.type == onnx_ir.AttributeType.GRAPH:
            yield from attribute.as_graph().all_nodes()
        elif attribute.type == onnx_ir.AttributeType.GRAPHS:
            for graph in attribute.as_graphs():
                yield from graph.all_nodes()


def is_layer(node: onnx_ir.Node) -> bool:
    """Whether a node is a layer; a product with 0, 1, 2, ... is none: it takes the mean of places."""
    return node.op_type in LAYERS and not takes_progression(node)
