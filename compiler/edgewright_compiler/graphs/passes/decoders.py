"""Inputs of decoders that follow from others: a graph makes them itself, and is run without them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import EditError

_INT64 = onnx_ir.DataType.INT64


class OneTokenEach(InPlacePass):
    """Let a model make its tokens itself: one of number 0 for each row of another input.

    For outputs that do not depend on what the tokens are, only on how many rows there are.

    Args:
        tokens: Input of tokens, int64 [rows, new]; a model that lacks it is let be.
        rows: Input with as many rows.
    """

    def __init__(self, tokens: str, rows: str) -> None:
        self._tokens, self._rows = tokens, rows

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Make them of the shape of the other input."""
        tokens, rows = _found(model, self._tokens), _found(model, self._rows)
        if tokens is None or rows is None:
            return PassResult(model, modified=False)
        nodes: list[onnx_ir.Node] = []
        count = _size(rows, [0], nodes)
        shape = _added("Concat", [count, _number([1], nodes)], nodes, axis=0)
        made = _added("ConstantOfShape", [shape], nodes, value=onnx_ir.tensor(np.zeros(1, np.int64)))
        _put(model, tokens, made, nodes)
        return PassResult(model, modified=True)


class CountPositions(InPlacePass):
    """Let a model count the positions of its new tokens itself, from those that its cache holds.

    Args:
        positions: Input of positions, int64 [new]; a model that lacks it is let be.
        tokens: Input of tokens, int64 [rows, new].
        cache: Input with the tokens before on axis 2.

    Raises:
        EditError: It has positions, and not the other two.
    """

    def __init__(self, positions: str, tokens: str, cache: str) -> None:
        self._positions, self._tokens, self._cache = positions, tokens, cache

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Count them by the shapes of the cache and of the tokens."""
        positions = _found(model, self._positions)
        if positions is None:
            return PassResult(model, modified=False)
        tokens, cache = _found(model, self._tokens), _found(model, self._cache)
        if tokens is None or cache is None:
            raise EditError(f"its input '{self._positions}' cannot be counted without '{self._cache}'")
        nodes: list[onnx_ir.Node] = []
        before = _size(cache, 2, nodes)
        after = _added("Add", [before, _size(tokens, 1, nodes)], nodes)
        _put(model, positions, _added("Range", [before, after, _number(1, nodes)], nodes), nodes)
        return PassResult(model, modified=True)


class TakeOneToken(InPlacePass):
    """Let a model take no more than one new token in each row, as its exporter ran it.

    Args:
        tokens: Input of tokens, int64 [rows, new].
    """

    def __init__(self, tokens: str) -> None:
        self._tokens = tokens

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Fix the axis of new tokens."""
        tokens = _found(model, self._tokens)
        if tokens is None or tokens.shape is None or len(tokens.shape) != 2 or tokens.shape[1] == 1:
            return PassResult(model, modified=False)
        tokens.shape = onnx_ir.Shape([tokens.shape[0], 1])
        return PassResult(model, modified=True)


def _found(model: onnx_ir.Model, name: str) -> onnx_ir.Value | None:
    return next((value for value in model.graph.inputs if value.name == name), None)


def _number(value: int | list[int], nodes: list[onnx_ir.Node]) -> onnx_ir.Value:
    return _added("Constant", [], nodes, value=onnx_ir.tensor(np.array(value, np.int64)))


def _size(value: onnx_ir.Value, axis: int | list[int], nodes: list[onnx_ir.Node]) -> onnx_ir.Value:
    """The size of an axis: a number, or [1] for a list of one axis."""
    return _added("Gather", [_added("Shape", [value], nodes), _number(axis, nodes)], nodes, axis=0)


def _added(
    kind: str, inputs: Sequence[onnx_ir.Value], nodes: list[onnx_ir.Node], **attributes: int | onnx_ir.TensorProtocol
) -> onnx_ir.Value:
    node = onnx_ir.node(kind, list(inputs), attributes)
    nodes.append(node)
    return node.outputs[0]


def _put(model: onnx_ir.Model, given: onnx_ir.Value, made: onnx_ir.Value, nodes: list[onnx_ir.Node]) -> None:
    """Let what `nodes` make last take the place of an input."""
    graph, name = model.graph, str(given.name)
    for number, node in enumerate(nodes):
        node.name = node.outputs[0].name = f"{name}_made_{number}"
    made.type, made.shape = onnx_ir.TensorType(_INT64), given.shape
    given.replace_all_uses_with(made)
    graph.inputs.remove(given)
    graph.insert_before(graph[0], nodes)
