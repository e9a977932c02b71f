"""Weights of a graph: the values that never change, and new ones beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir

from edgewright_compiler.graphs.passes.contract import every_graph

# Of any type that a graph has.
Array = np.ndarray[Any, Any]


def value_names(model: onnx_ir.Model) -> set[str]:
    """Names of all values of a model. A name that graphs inside see may not be given twice."""
    names: set[str] = set()
    for graph in every_graph(model):
        values = [*graph.inputs, *graph.initializers.values(), *(value for node in graph for value in node.outputs)]
        names.update(str(value.name) for value in values)
    return names


def is_matrix(value: onnx_ir.Value | None) -> bool:
    """Whether a value is a weight of two axes."""
    return value is not None and value.is_initializer() and value.const_value is not None and rank(value) == 2


def rank(value: onnx_ir.Value) -> int:
    """The axes of a weight."""
    assert value.const_value is not None, "a weight has its numbers"
    return len(value.const_value.shape)


def array_of(value: onnx_ir.Value) -> Array:
    """The numbers of a weight."""
    assert value.const_value is not None, "a weight has its numbers"
    return value.const_value.numpy()


def turned(weight: onnx_ir.Value, names: set[str]) -> onnx_ir.Value:
    """The transposition of a matrix as a weight of its own, in the same graph; made where there is none yet.

    Args:
        weight: An initializer of two axes.
        names: Of all values of the model; gets that of a new weight.
    """
    graph = weight.graph
    assert graph is not None, "an initializer lies in a graph"
    array = np.ascontiguousarray(array_of(weight).T)
    name, number = f"{weight.name}_turned", 0
    while name in names:
        there = graph.initializers.get(name)
        if there is not None and is_matrix(there) and np.array_equal(array_of(there), array):
            return there
        name, number = f"{weight.name}_turned_{number}", number + 1
    return new_weight(graph, name, array, names)


def new_weight(graph: onnx_ir.Graph, name: str, array: Array, names: set[str]) -> onnx_ir.Value:
    """A weight of a graph, called `name`, or so with a number where that name is taken.

    Args:
        graph: Gets it.
        name: What it is called.
        array: Its numbers.
        names: Of all values of the model; gets that of the weight.
    """
    free, number = name, 0
    while free in names:
        free, number = f"{name}_{number}", number + 1
    names.add(free)
    made = onnx_ir.Value(name=free, const_value=onnx_ir.tensor(array, name=free))
    graph.initializers[free] = made
    return made


@dataclass(frozen=True)
class Constant:
    """A value that never changes, with its numbers: an initializer, or what a node `Constant` gives.

    Attributes:
        value: The value.
        tensor: Its numbers.
    """

    value: onnx_ir.Value
    tensor: onnx_ir.TensorProtocol

    def put(self, array: Array) -> None:
        """Give the value other numbers."""
        tensor = onnx_ir.tensor(array, name=self.value.name)
        node = self.value.producer()
        if node is None:
            self.value.const_value = tensor
        else:
            node.attributes["value"] = onnx_ir.AttrTensor("value", tensor)
        self.value.dtype = tensor.dtype


def constant(value: onnx_ir.Value | None) -> Constant | None:
    """The numbers behind a value; None where it is computed, or given by a caller."""
    if value is None:
        return None
    node = value.producer()
    if node is not None and node.op_type == "Constant" and "value" in node.attributes:
        return Constant(value, node.attributes["value"].as_tensor())
    if value.is_initializer() and value.const_value is not None:
        return Constant(value, value.const_value)
    return None
