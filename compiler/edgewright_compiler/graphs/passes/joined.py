"""Two models that become one: what the first makes, the second is given."""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import EditError, edit, every_graph
from edgewright_compiler.graphs.passes.plain_graph import InlineFunctions

_PREFIX = "joined"


class DropUnusedInputs(InPlacePass):
    """Take inputs out that nothing reads."""

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Take them out."""
        inputs = model.graph.inputs
        kept = [value for value in inputs if value.uses() or value.is_graph_output()]
        modified = len(kept) < len(inputs)
        if modified:
            inputs.clear()
            inputs.extend(kept)
        return PassResult(model, modified)


class RenameInputs(InPlacePass):
    """Call inputs otherwise.

    Args:
        names: Old names to new ones; those that the model lacks do not count.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Rename them."""
        found = [value for value in model.graph.inputs if value.name in self._names]
        for value in found:
            value.name = self._names[str(value.name)]
        return PassResult(model, bool(found))


def join(first: onnx_ir.Model, second: onnx_ir.Model, outputs: Mapping[str, str]) -> None:
    """Let `first` go on with the nodes of `second`, which is given the first output of `first`.

    Inputs of `second` that are called as those of `first` are these.

    Args:
        first: Is changed. Its outputs are those of `second` afterwards.
        second: Its nodes and weights are taken.
        outputs: Outputs of `second` to their names in `first`.

    Raises:
        EditError: They are of different opsets.
    """
    for model in (first, second):
        edit(model, InlineFunctions())
    if {**first.opset_imports, **second.opset_imports} != {**second.opset_imports, **first.opset_imports}:
        raise EditError(f"they are of the opsets {dict(first.opset_imports)} and {dict(second.opset_imports)}")
    ends = {str(value.name): value for value in second.graph.outputs}
    for number, graph in enumerate(every_graph(second)):
        for value in list(graph.initializers.values()):
            value.name = f"{_PREFIX}{number}.{value.name}"
        for node in graph:
            node.name = f"{_PREFIX}{number}.{node.name}"
            for value in node.outputs:
                value.name = f"{_PREFIX}{number}.{value.name}"
    given, made = {value.name: value for value in first.graph.inputs}, first.graph.outputs[0]
    for value in list(second.graph.inputs):
        value.replace_all_uses_with(given.get(value.name, made))
    nodes, weights = list(second.graph), list(second.graph.initializers.values())
    second.graph.outputs.clear()
    second.graph.remove(nodes)
    for value in weights:
        del second.graph.initializers[str(value.name)]
        first.graph.register_initializer(value)
    first.graph.extend(nodes)
    first.opset_imports.update(second.opset_imports)
    first.graph.outputs.clear()
    for name, new in outputs.items():
        ends[name].name = new
        first.graph.outputs.append(ends[name])
