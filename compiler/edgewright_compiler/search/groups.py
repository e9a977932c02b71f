"""The groups of a graph: layers that get a precision together, each with its form in the quantized graph.

Two graphs are compared, the float one as the quantizer was given it and what the quantizer made of it. A value that has
one name in both is the same value. What lies between such values in the quantized graph, and is not there in float, is
the low form of the nodes that lie there in float. So it makes no difference whether these became QDQ pairs, products of
integers whose ranges are found at run time, or weights in blocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewright_compiler.graphs.quantized_already import computes_in_integers
from edgewright_compiler.search.facts import Group
from edgewright_targets import Recipe

if TYPE_CHECKING:
    import onnx_ir

# Operators that are a layer each.
_LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_PAIR = frozenset({"QuantizeLinear", "DequantizeLinear"})
# What goes with the layer before it: runtimes fuse it into the layer, or it costs next to nothing.
_ACTIVATIONS = frozenset(
    {"Clip", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Relu", "Selu", "Sigmoid", "Softplus", "Tanh"}
)
_WITH_CONSTANT = frozenset({"Add", "BatchNormalization", "Div", "Mul", "PRelu", "Sub"})


@dataclass(frozen=True, eq=False)
class LowForm:
    """A group with its nodes in both graphs.

    Attributes:
        group: Names and operators.
        float_nodes: Its nodes in the float graph, in the order in which they run; only the last one's output is used
            outside.
        low_nodes: Its nodes in the quantized graph, with the conversions before and after it, in order.
        output: What the last of the low nodes gives.
    """

    group: Group
    float_nodes: tuple[onnx_ir.Node, ...]
    low_nodes: tuple[onnx_ir.Node, ...]
    output: onnx_ir.Value


def find_groups(component: str, model: onnx_ir.Model, low: onnx_ir.Model, recipe: Recipe) -> tuple[LowForm, ...]:
    """The groups of a graph that `recipe` quantized, in the order in which they run.

    Nodes within loops and branches are left out: they are not taken apart.

    Args:
        component: Its name.
        model: The float graph as the quantizer was given it; each node has a name of its own.
        low: What the quantizer made of it.
        recipe: Says which operators it quantizes.
    """
    return tuple(_Finder(component, model, low, recipe).find())


class _Finder:
    def __init__(self, component: str, model: onnx_ir.Model, low: onnx_ir.Model, recipe: Recipe) -> None:
        self._component = component
        self._nodes = list(model.graph)
        self._recipe = recipe
        self._names = {value.name for value in model.graph.inputs} | set(model.graph.initializers)
        self._names.update(value.name for node in self._nodes for value in node.outputs)
        self._low = {value.name: value for node in low.graph for value in node.outputs}
        self._order = {node: place for place, node in enumerate(low.graph)}
        self._taken: set[onnx_ir.Node] = set()

    def find(self) -> Iterator[LowForm]:
        for node in self._nodes:
            listed = self._recipe.operators
            # A pair before an operator that is not quantized belongs to what made the value.
            if node in self._taken or not _single(node) or (listed and node.op_type not in listed):
                continue
            chain = self._chain(node) if node.op_type in _LAYERS else [node]
            # The longest part that has a low form: the quantizer may have removed or renamed what comes last.
            while chain:
                if (found := self._low_form(chain)) is not None:
                    yield found
                    self._taken.update(chain)
                    break
                chain.pop()

    def _chain(self, layer: onnx_ir.Node) -> list[onnx_ir.Node]:
        """A layer and what follows it alone."""
        chain = [layer]
        while True:
            last = chain[-1].outputs[0]
            uses = last.uses()
            if len(uses) != 1 or last.is_graph_output():
                return chain
            follower = next(iter(uses)).node
            others = [value for value in follower.inputs if value is not None and value is not last]
            constant = all(value.is_initializer() for value in others)
            alike = follower.op_type in _ACTIVATIONS or (follower.op_type in _WITH_CONSTANT and others)
            if not (alike and constant and _single(follower) and follower.graph is layer.graph):
                return chain
            chain.append(follower)

    def _low_form(self, chain: list[onnx_ir.Node]) -> LowForm | None:
        """The group of some nodes; None where they are the same in the quantized graph, or not to be found there."""
        last = chain[-1].outputs[0]
        inner = {node.outputs[0].name for node in chain}
        output = self._low.get(last.name)
        if output is None:
            return None
        # An activation is not quantized where only what takes its output is.
        before = self._between(output, inner)
        if before is None or not any(_converts(node) for node in before):
            return None
        output = self._after_pair(output)
        between = self._between(output, inner) or set()
        group = Group(
            name=str(chain[0].name),
            component=self._component,
            nodes=tuple(str(node.name) for node in chain),
            operators=tuple(node.op_type for node in chain),
        )
        return LowForm(group, tuple(chain), tuple(sorted(between, key=self._order.__getitem__)), output)

    def _after_pair(self, output: onnx_ir.Value) -> onnx_ir.Value:
        """What the QDQ pair on an output gives, where the recipe quantizes outputs of the operator that made it."""
        made = output.producer()
        listed = self._recipe.operators
        if made is None or made.op_type in _PAIR or (listed and made.op_type not in listed):
            return output
        for use in output.uses():
            if use.node.op_type == "QuantizeLinear":
                for after in use.node.outputs[0].uses():
                    if after.node.op_type == "DequantizeLinear":
                        return after.node.outputs[0]
        return output

    def _between(self, output: onnx_ir.Value, inner: Collection[str | None]) -> set[onnx_ir.Node] | None:
        """Nodes of the quantized graph that lead to a value from values of the float graph; None where others do."""
        found: set[onnx_ir.Node] = set()
        waiting = [output]
        while waiting:
            value = waiting.pop()
            node = value.producer()
            if node is None:
                if not value.is_initializer() and value.name not in self._names:
                    return None
                continue
            if node in found or (value is not output and value.name in self._names and value.name not in inner):
                continue
            found.add(node)
            if any(attribute.type.name in ("GRAPH", "GRAPHS") for attribute in node.attributes.values()):
                return None
            waiting += [given for given in node.inputs if given is not None]
        return found


def _single(node: onnx_ir.Node) -> bool:
    """Whether a node has one output that counts."""
    return len(node.outputs) == 1 and bool(node.outputs[0].name)


def _converts(node: onnx_ir.Node) -> bool:
    return node.op_type in _PAIR or computes_in_integers(node.op_type)
