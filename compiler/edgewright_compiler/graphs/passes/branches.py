"""A graph that is two in one: an input says which branch of an `If` runs, as in decoders that optimum merges."""

from __future__ import annotations

import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgewright_compiler.graphs.passes.contract import EditError


class TakeBranch(InPlacePass):
    """Leave the one branch of each `If` that an input chooses, and take that input out of the model.

    onnxscript's `FoldConstantsPass` takes branches too, but folds all else that it can.

    Args:
        name: Of the input, a truth value.
        taken: Its value: whether the `then_branch` is left.

    Raises:
        EditError: The input does more than choose branches.
    """

    def __init__(self, name: str, *, taken: bool) -> None:
        self._name = name
        self._taken = taken

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Write the nodes of the branch in the place of the `If`."""
        inputs = model.graph.inputs
        switch = next((value for value in inputs if value.name == self._name), None)
        if switch is None:
            return PassResult(model, modified=False)
        while uses := list(switch.uses()):
            node = uses[0].node
            if node.op_type != "If" or not isinstance(node.graph, onnx_ir.Graph):
                raise EditError(f"its input '{self._name}' does not only choose a branch: a {node.op_type} takes it")
            branches = [node.attributes[f"{kind}_branch"].as_graph() for kind in ("then", "else")]
            kept, dropped = branches if self._taken else reversed(branches)
            _let_go(dropped)
            _inline(node, node.graph, kept)
        inputs.remove(switch)
        RemoveUnusedNodesPass()(model)
        return PassResult(model, modified=True)


def _let_go(branch: onnx_ir.Graph) -> None:
    """Let the nodes of a branch read nothing, so that values outside do not count as read by them."""
    branch.outputs.clear()
    for node in list(branch.all_nodes()):
        for index in range(len(node.inputs)):
            node.replace_input_with(index, None)


def _inline(node: onnx_ir.Node, graph: onnx_ir.Graph, branch: onnx_ir.Graph) -> None:
    """Write the nodes of a branch of `node`, which lies in `graph`, in its place."""
    nodes, made, weights = list(branch), list(branch.outputs), list(branch.initializers.values())
    branch.outputs.clear()
    branch.remove(nodes)
    for value in weights:
        del branch.initializers[str(value.name)]
        # Of one name are those of another branch, or of the graph outside.
        while value.name in graph.initializers:
            value.name = f"{value.name}_branch"
        graph.register_initializer(value)
    graph.insert_before(node, nodes)
    inside, named = set(nodes), set[onnx_ir.Value]()
    for given, value in zip(node.outputs, made, strict=True):
        name, end = given.name, value
        if value.producer() not in inside or value in named:
            # What is made outside, or given twice, keeps its own name.
            copy = onnx_ir.node("Identity", [value], name=f"{name}_taken")
            graph.insert_before(node, copy)
            end = copy.outputs[0]
            end.shape, end.type = value.shape, value.type
        given.replace_all_uses_with(end, replace_graph_outputs=True)
        end.name = name
        named.add(end)
    graph.remove(node, safe=True)
