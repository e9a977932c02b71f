"""The graphs of a model in the precision of a candidate, and what of them computes in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.building.stage import CandidateError
from edgewright_compiler.graphs.exported import GRAPH_FILE
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
    """

    folders: dict[str, Path]
    low_precision: dict[str, int]


def counted(candidate: Candidate, folders: dict[str, Path]) -> QuantizedGraphs:
    """The graphs in `folders`, by component, with the nodes that compute in the precision of the candidate.

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
    for name, recipe in recipes.items():
        if recipe.method != "float":
            found.update(low_precision_nodes(models[name], half=recipe.method == "cast"))
    if not found:
        raise CandidateError(_unchanged(candidate.precision, changing, models))
    return QuantizedGraphs(folders, dict(found.most_common()))


def _unchanged(precision: str, recipes: Iterable[Recipe], models: Mapping[str, onnx_ir.Model]) -> str:
    kinds = Counter(node.op_type for model in models.values() for node in model.graph.all_nodes())
    operators = sorted({name for recipe in recipes for name in recipe.operators})
    wanted = f" ({', '.join(operators)})" if operators else ""
    has = ", ".join(f"{count} {name}" for name, count in kinds.most_common(_SHOWN_OPERATORS))
    return (
        f"No part of the graph became {precision}: it has no node with weights that the recipe "
        f"quantizes{wanted}. It has {has}."
    )
