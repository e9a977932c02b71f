"""Graphs as quantizers need them: no local functions, whose nodes they do not see, and a name of its own for each node.

Quantizers know nodes by their names: those that stay in float are listed by name, and tensors that are added beside a
node are named after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir


def inline_functions(model: onnx_ir.Model) -> bool:
    """Write the nodes of a model's own functions where they are called; says whether it had any.

    Raises:
        ValueError: A function cannot be inlined: it calls itself, is of another opset than the model, or takes a graph.
    """
    from onnx_ir.passes import PassError
    from onnx_ir.passes.common import InlinePass, RemoveUnusedFunctionsPass

    if not model.functions:
        return False
    RemoveUnusedFunctionsPass()(model)  # type: ignore[no-untyped-call] # onnx_ir types no constructor of it
    try:
        InlinePass()(model)
    except PassError as error:
        raise ValueError(_innermost(error)) from error
    return True


def name_nodes(model: onnx_ir.Model) -> dict[str, list[str]]:
    """Give a name of its own to each node that has none or another's.

    Returns:
        Name to the new names of its nodes; the first of several nodes of one name keeps it.
    """
    nodes = list(model.graph.all_nodes())
    taken = {node.name for node in nodes if node.name}
    seen: set[str] = set()
    renamed: dict[str, list[str]] = {}
    for node in nodes:
        if node.name and node.name not in seen:
            seen.add(node.name)
            continue
        before, number = node.name or "", 0
        while (name := f"{before or node.op_type}_{number}") in taken:
            number += 1
        taken.add(name)
        seen.add(name)
        renamed.setdefault(before, []).append(name)
        node.name = name
    return renamed


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)
