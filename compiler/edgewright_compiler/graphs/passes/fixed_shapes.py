"""Graphs of fixed shapes: inputs of one shape, and what follows from it folded into constants."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import EditError, every_node, refuse_functions
from edgewright_compiler.graphs.passes.weights import constant, new_weight, value_names


class FixInputShapes(InPlacePass):
    """Give the inputs of a model fixed shapes. The other graphs have no inputs that a caller gives.

    Args:
        shapes: Input to its shape.

    Raises:
        EditError: They do not fit the graph.
    """

    def __init__(self, shapes: Mapping[str, Sequence[int]]) -> None:
        self._shapes = {name: tuple(shape) for name, shape in shapes.items()}

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Fix each input."""
        changed = [_fix_input(value, self._shapes.get(str(value.name), ())) for value in model.graph.inputs]
        return PassResult(model, any(changed))


def _fix_input(value: onnx_ir.Value, shape: tuple[int, ...]) -> bool:
    had = list(value.shape.dims) if value.shape is not None else None
    fits = had is None or (
        len(had) == len(shape)
        and all(not isinstance(old, int) or old == new for old, new in zip(had, shape, strict=True))
    )
    if not shape or not fits:
        raise EditError(f"Input '{value.name}' of the graph is {value.shape}; it cannot be fixed to {list(shape)}.")
    value.shape = onnx_ir.Shape(shape)
    return had != list(shape)


class FoldShapes(InPlacePass):
    """Infer the shapes of all values anew and fold what is computed from them, with onnxscript's optimizer.

    Raises:
        EditError: The optimizer fails, as where the shapes of the inputs do not fit the graph.
    """

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Optimize."""
        from onnxscript import optimizer

        before = onnx_ir.to_proto(model)
        # Symbolic shapes of before would contradict the new ones.
        for node in every_node(model):
            for output in node.outputs:
                output.shape = None
        try:
            optimizer.optimize(model, onnx_shape_inference=True)
        except Exception as error:  # whatever it stumbles over, it is about this graph
            raise EditError(f"The graph cannot be brought to fixed shapes: {error}") from error
        # The optimizer does not say whether it changed anything.
        return PassResult(model, onnx_ir.to_proto(model) != before)


class PlainGathers(InPlacePass):
    """Replace each GatherND that reads all its data in order by a Reshape. What nothing reads then stays.

    Exporters index attention masks so; with fixed shapes nothing is gathered, and QNN has no GatherND of booleans.

    Raises:
        EditError: One reads beyond its data: the shapes do not fit the graph.
    """

    def requires(self, model: onnx_ir.Model) -> None:
        """No functions: the new shape is a weight, and they have none."""
        refuse_functions(model, "A gather as a reshape")

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Replace them."""
        names = value_names(model)
        modified = False
        for graph in model.graphs():
            for node in list(graph):
                if node.op_type == "GatherND" and _reads_in_order(node):
                    _reshape_instead(graph, node, names)
                    modified = True
        return PassResult(model, modified)


def _reshape_instead(graph: onnx_ir.Graph, node: onnx_ir.Node, names: set[str]) -> None:
    output = node.outputs[0]
    assert output.shape is not None, "known: `_reads_in_order`"
    shape = np.array(output.shape.numpy(), dtype=np.int64)
    target = new_weight(graph, f"{output.name}_shape", shape, names)
    reshape = onnx_ir.node("Reshape", [node.inputs[0], target], name=f"{node.name}_reshape")
    made = reshape.outputs[0]
    made.shape, made.type = output.shape, output.type
    # An output of the graph keeps its name.
    made.name = output.name if output.is_graph_output() else f"{output.name}_reshaped"
    graph.insert_before(node, reshape)
    output.replace_all_uses_with(made, replace_graph_outputs=True)
    graph.remove(node, safe=True)


def _reads_in_order(node: onnx_ir.Node) -> bool:
    data, indices = node.inputs
    found = constant(indices)
    if node.attributes.get_int("batch_dims", 0) or found is None or data is None:
        return False
    shape, made = data.shape, node.outputs[0].shape
    if shape is None or made is None or not shape.is_static() or not made.is_static():
        return False
    places = found.tensor.numpy()
    leading = tuple(shape.numpy())[: places.shape[-1]]
    if bool((places < 0).any()):
        return False
    if bool((places >= np.array(leading)).any()):
        raise EditError(f"The graph cannot be brought to fixed shapes: '{node.name}' reads beyond its data.")
    flat = np.ravel_multi_index(tuple(np.moveaxis(places, -1, 0)), leading).ravel()
    return flat.size == math.prod(leading) and bool((flat == np.arange(flat.size)).all())
