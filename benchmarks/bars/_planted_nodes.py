"""Nodes that are put behind the scores of a text classifier's graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgewright_targets import InputError


class PlantedNodes:
    """Makes nodes and constants of a graph, with a prefix before their names.

    Args:
        graph: An `onnx_ir` graph.
        prefix: Of all names.
    """

    def __init__(self, graph: Any, prefix: str) -> None:
        self._graph = graph
        self._prefix = prefix

    def constant(self, name: str, value: Any) -> Any:
        """An initializer with this array or number."""
        import onnx_ir as ir

        full = f"{self._prefix}/{name}"
        found = ir.Value(name=full, const_value=ir.tensor(value, name=full))
        self._graph.register_initializer(found)
        return found

    def step(self, kind: str, inputs: list[Any], name: str, **attributes: Any) -> Any:
        """The one output of a new node."""
        import onnx_ir as ir

        full = f"{self._prefix}/{name}"
        made = ir.node(kind, inputs=inputs, attributes=attributes, name=full)
        made.outputs[0].name = full
        self._graph.append(made)
        return made.outputs[0]


def put_behind_scores(path: Path, prefix: str, change: Callable[[PlantedNodes, Any, Any], Any]) -> None:
    """Write a graph again, with other scores under the old name.

    Args:
        path: The file of the graph, from `input_ids` to one output.
        prefix: Of the names of all new nodes.
        change: Takes the maker of nodes, the tokens and the scores; gives the new scores, of the same shape.
    """
    import onnx_ir as ir

    model = ir.load(path)
    graph = model.graph
    tokens = next((one for one in graph.inputs if one.name == "input_ids"), None)
    if tokens is None or len(graph.outputs) != 1:
        raise InputError(
            f"'{path}' is not a graph from tokens to scores.", hint="Pass the package of a text classifier."
        )
    (scores,) = graph.outputs
    name = scores.name
    changed = change(PlantedNodes(graph, prefix), tokens, scores)
    # Whoever calls the graph finds the scores under their old name.
    scores.name, changed.name = f"{name}/{prefix}", name
    changed.type, changed.shape = scores.type, scores.shape
    graph.outputs[0] = changed
    ir.save(model, path)
