"""The contract of everything that edits a graph, after onnx-ir: a model goes in, the model and `modified` come out.

- A pass edits the model that it is given, in place, and never a file. Whoever composes passes reads and saves.
- It covers every graph: the top one, the bodies of loops and branches, and the model's own functions. A pass that
  cannot cover functions says so in `requires`; `InlineFunctions` goes before it.
- `modified` is true exactly when the model is another one afterwards. A pass that runs twice changes nothing the second
  time.
- What a graph does not allow is an `EditError`, in words for people. Any other exception is a bug and stays what it
  is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import onnx_ir
from onnx_ir.passes import InPlacePass, PassBase, PassError, PassResult, Sequential


class EditError(Exception):
    """This graph cannot be edited so; the text says why, for people."""


def edit(model: onnx_ir.Model, *passes: PassBase) -> bool:
    """Run passes over `model`, one after the other; gives whether any of them changed it.

    Raises:
        EditError: The graph does not allow one of them. The model may be half edited then.
    """
    try:
        return Sequential(*passes)(model).modified
    except PassError as error:
        reason: BaseException | None = error
        while reason is not None:
            if isinstance(reason, EditError):
                raise reason from error
            reason = reason.__cause__
        raise


class GraphPass(InPlacePass):
    """A pass that edits each graph of a model by itself."""

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Edit each graph."""
        # All of them: `any` of a generator would stop at the first that was changed.
        changed = [self.edit_graph(graph) for graph in every_graph(model)]
        return PassResult(model, any(changed))

    @abstractmethod
    def edit_graph(self, graph: onnx_ir.Graph) -> bool:
        """Edit the nodes and weights of one graph, without those of graphs inside it; gives whether it changed."""


def every_graph(model: onnx_ir.Model) -> Iterator[onnx_ir.Graph]:
    """The top graph, the bodies of its loops and branches, and the graphs of the model's functions with theirs."""
    yield from model.graphs()
    for function in model.functions.values():
        yield function.graph
        yield from function.subgraphs()


def every_node(model: onnx_ir.Model) -> Iterator[onnx_ir.Node]:
    """The nodes of every graph."""
    yield from model.graph.all_nodes()
    for function in model.functions.values():
        yield from function.all_nodes()


def visible_graphs(model: onnx_ir.Model) -> dict[onnx_ir.Graph, set[onnx_ir.Graph]]:
    """Each graph, to the graphs whose values its nodes may take: its own, and those that it lies in."""
    seen: dict[onnx_ir.Graph, set[onnx_ir.Graph]] = {}
    for graph in every_graph(model):
        around = seen.setdefault(graph, {graph})
        for node in graph:
            for attribute in node.attributes.values():
                if attribute.type == onnx_ir.AttributeType.GRAPH and not attribute.is_ref():
                    seen[attribute.as_graph()] = {attribute.as_graph(), *around}
                elif attribute.type == onnx_ir.AttributeType.GRAPHS and not attribute.is_ref():
                    seen.update({inner: {inner, *around} for inner in attribute.as_graphs()})
    return seen


def refuse_functions(model: onnx_ir.Model, name: str) -> None:
    """For `requires` of passes that cannot cover functions.

    Raises:
        EditError: The model has some.
    """
    if model.functions:
        raise EditError(f"{name} takes no graph with functions of its own; inline them before.")
