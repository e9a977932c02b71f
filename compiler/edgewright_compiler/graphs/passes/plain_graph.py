"""Graphs as quantizers need them: no local functions, whose nodes they do not see, and a name of its own for each node.

Quantizers know nodes by their names: those that stay in float are listed by name, and tensors that are added beside a
node are named after it.
"""

from __future__ import annotations

import onnx_ir
from onnx_ir.passes import InPlacePass, PassError, PassResult
from onnx_ir.passes.common import InlinePass, RemoveUnusedFunctionsPass

from edgewright_compiler.graphs.passes.contract import EditError, every_node


class InlineFunctions(InPlacePass):
    """Write the nodes of a model's own functions where they are called.

    Raises:
        EditError: A function calls itself, is of another opset than the model, or takes a graph.
    """

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Inline all of them."""
        if not model.functions:
            return PassResult(model, modified=False)
        RemoveUnusedFunctionsPass()(model)  # type: ignore[no-untyped-call] # onnx_ir types no constructor of it
        try:
            InlinePass()(model)
        except (PassError, ValueError) as error:
            raise EditError(f"Its functions cannot be inlined: {_innermost(error)}") from error
        return PassResult(model, modified=True)


class NameNodes(InPlacePass):
    """Give a name of its own to each node that has none or another's; the first of several of one name keeps it.

    onnx-ir's `NameFixPass` numbers names anew in each graph, and renames values too.
    """

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Name them."""
        nodes = list(every_node(model))
        taken = {node.name for node in nodes if node.name}
        seen: set[str] = set()
        modified = False
        for node in nodes:
            if node.name and node.name not in seen:
                seen.add(node.name)
                continue
            before, number = node.name or node.op_type, 0
            while (name := f"{before}_{number}") in taken:
                number += 1
            taken.add(name)
            seen.add(name)
            node.name = name
            modified = True
        return PassResult(model, modified)


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)
