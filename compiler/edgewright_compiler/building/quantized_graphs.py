"""The graphs of a model in the precision of a candidate, and what of them computes in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_benchmarks.engine_result import FloatNodes
from edgewright_compiler.building.float_nodes import float_nodes, kept_in_float
from edgewright_compiler.building.stage import CandidateError
from edgewright_compiler.graphs.exported import GRAPH_FILE
from edgewright_compiler.graphs.float_groups.find import FloatOperator
from edgewright_compiler.graphs.low_precision import low_precision_nodes
from edgewright_targets import Candidate, Recipe

if TYPE_CHECKING:
    import onnx_ir

# Operator types that a message lists.
_SHOWN_OPERATORS = 4


@dataclass(frozen=True)
class QuantizedGraphs:
    """Graphs in the precision of a candidate.

    Attributes:
        folders: Component to the folder of its graph.
        low_precision: Operator type to the number of nodes that compute in the precision of the candidate.
        float_nodes: What stays in float because of what it is.
    """

    folders: dict[str, Path]
    low_precision: dict[str, int]
    float_nodes: tuple[FloatNodes, ...] = ()


def counted(
    candidate: Candidate, folders: dict[str, Path], operators: Mapping[str, Sequence[FloatOperator]]
) -> QuantizedGraphs:
    """The graphs in `folders`, by component, with the nodes that compute in the precision of the candidate.

    Args:
        candidate: Its recipes made them.
        folders: Component to the folder of its graph.
        operators: Component to the nodes that its recipe leaves in float because of what they are.

    Raises:
        CandidateError: There is no such node, and a recipe asks for it.
    """
    import onnx_ir

    recipes = {name: candidate.component_recipes.get(name, candidate.recipe) for name in folders}
    # Those for components that the model lacks change nothing.
    named = [recipe for name, recipe in candidate.component_recipes.items() if name in folders]
    changing = [recipe for recipe in (candidate.recipe, *named) if recipe.method != "float"]
    if not changing:
        return QuantizedGraphs(folders, {})
    models = {name: onnx_ir.load(folder / GRAPH_FILE) for name, folder in folders.items()}
    found: Counter[str] = Counter()
    kept: dict[str, list[FloatOperator]] = {}
    for name, recipe in recipes.items():
        if recipe.method != "float":
            half = recipe.method == "cast"
            found.update(low_precision_nodes(models[name], half=half))
            kept[name] = list(kept_in_float(operators[name], models[name], half=half))
    in_float = float_nodes(kept)
    if not found:
        raise CandidateError(_unchanged(candidate.precision, changing, models) + _left(in_float))
    return QuantizedGraphs(folders, dict(found.most_common()), in_float)


def _left(kept: Sequence[FloatNodes]) -> str:
    """What stays in float because of what it is, as a sentence after another; empty where nothing does."""
    if not kept:
        return ""
    groups = ", ".join(f"{one.count} {one.group}" for one in kept)
    return f" Of these, some stay in float because of what they are ({groups}); the recipe's float_groups says which."


def _unchanged(precision: str, recipes: Iterable[Recipe], models: Mapping[str, onnx_ir.Model]) -> str:
    kinds = Counter(node.op_type for model in models.values() for node in model.graph.all_nodes())
    operators = sorted({name for recipe in recipes for name in recipe.operators})
    wanted = f" ({', '.join(operators)})" if operators else ""
    has = ", ".join(f"{count} {name}" for name, count in kinds.most_common(_SHOWN_OPERATORS))
    return (
        f"No part of the graph became {precision}: it has no node with weights that the recipe "
        f"quantizes{wanted}. It has {has}."
    )
