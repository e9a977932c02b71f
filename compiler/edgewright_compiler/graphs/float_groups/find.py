"""Which nodes of a model stay in float because of what they are, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgewright_compiler.graphs.exported import load_graph
from edgewright_compiler.graphs.float_groups.decoding import decoding
from edgewright_compiler.graphs.float_groups.durations import durations
from edgewright_compiler.graphs.float_groups.flow import Flow
from edgewright_compiler.graphs.float_groups.grids import grids
from edgewright_compiler.graphs.float_groups.recurrent import recurrent
from edgewright_targets.recipe import FloatGroup, Recipe

if TYPE_CHECKING:
    import onnx_ir

# A node of several groups counts for the first of them.
_GROUPS: Final[dict[FloatGroup, Callable[[Flow], dict[onnx_ir.Node, str]]]] = {
    "recurrent": recurrent,
    "durations": durations,
    "decoding": decoding,
    "grids": grids,
}


@dataclass(frozen=True)
class FloatOperator:
    """A node that stays in float because of what it is.

    Attributes:
        node: Its name.
        operator: Its type.
        group: Why, in one word.
        reason: The same as the second half of a sentence.
    """

    node: str
    operator: str
    group: FloatGroup
    reason: str


def float_operators(model: onnx_ir.Model, groups: Collection[FloatGroup]) -> tuple[FloatOperator, ...]:
    """The nodes of some groups, in the order in which they lie in the graph.

    Args:
        model: A graph without functions, whose nodes each have a name of their own.
        groups: Which groups.
    """
    found: dict[onnx_ir.Node, FloatOperator] = {}
    for graph in model.graphs():
        flow = Flow(graph)
        for group, find in _GROUPS.items():
            if group in groups:
                for node, reason in find(flow).items():
                    found.setdefault(node, FloatOperator(str(node.name), node.op_type, group, reason))
    order = {node: place for place, node in enumerate(model.graph.all_nodes())}
    return tuple(found[node] for node in sorted(found, key=order.__getitem__) if _counts(node))


def find_float_operators(folder: Path, recipe: Recipe) -> tuple[FloatOperator, ...]:
    """The nodes of a float graph that a recipe leaves in float because of what they are, by the names they get.

    Args:
        folder: Of the float graph.
        recipe: Says which groups.
    """
    from edgewright_compiler.graphs.passes.contract import EditError, edit
    from edgewright_compiler.graphs.passes.plain_graph import InlineFunctions, NameNodes

    if not recipe.kept_groups:
        return ()
    model = load_graph(folder)
    try:
        edit(model, InlineFunctions(), NameNodes())
    except EditError:
        # `quantize` refuses it in words.
        return ()
    return float_operators(model, recipe.kept_groups)


def would_change(one: FloatOperator, recipe: Recipe) -> bool:
    """Whether a recipe would change a node that no group keeps in float: others are not worth a word.

    Args:
        one: What a group keeps.
        recipe: Keeps it.
    """
    if recipe.float_type != "float32" and one.group in recipe.wide_groups:
        # Floats of 16 bits are those of all operators.
        return True
    if recipe.method == "weight-only":
        # A product with a sum becomes a product.
        return one.operator in ("Gemm", "MatMul")
    return not recipe.operators or one.operator in recipe.operators


def _counts(node: onnx_ir.Node) -> bool:
    """Whether a node is an operator that a quantizer could take: a constant or a shape is none."""
    return node.op_type not in ("Constant", "Shape", "Size", "Loop", "Scan", "If")
