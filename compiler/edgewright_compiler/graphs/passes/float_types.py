"""Float graphs in another float type. The precision is in the graph, where a strongly typed compiler wants it.

Which nodes change is decided by ONNX Runtime's own float16 converter, for bfloat16 as well: it knows the operators that
must stay in float32. For bfloat16 the values are then taken from the float32 weights anew, because float16 has another
range and more digits.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import GraphPass, every_graph
from edgewright_compiler.graphs.passes.weights import Array, array_of

_FULL, _HALF, _BRAIN = onnx_ir.DataType.FLOAT, onnx_ir.DataType.FLOAT16, onnx_ir.DataType.BFLOAT16
# Exporters mask attention with the lowest float32 there is. What is beyond this means infinity.
_INFINITE = 1e6


class BoundInfinities(GraphPass):
    """Replace float weights that stand for infinity by `bound`, with their sign.

    Args:
        bound: At most 1e6, from which on a number means infinity.
    """

    def __init__(self, bound: float) -> None:
        self._bound = bound

    def edit_graph(self, graph: onnx_ir.Graph) -> bool:
        """Bound the weights of one graph."""
        modified = False
        for value in graph.initializers.values():
            if value.const_value is None or value.const_value.dtype != _FULL:
                continue
            array = array_of(value)
            if not _has_infinite(array):
                continue
            bounded = np.where(np.abs(array) >= _INFINITE, np.sign(array) * self._bound, array).astype(np.float32)
            value.const_value = onnx_ir.tensor(bounded, name=value.name)
            modified = True
        return modified


def _has_infinite(array: Array) -> bool:
    # Without a copy of the weights, and past those that are not numbers.
    flat = array.reshape(-1)
    return bool(flat.size) and bool(np.fmax.reduce(flat) >= _INFINITE or np.fmin.reduce(flat) <= -_INFINITE)


class BrainFloats(InPlacePass):
    """Write what ONNX Runtime's converter made float16 as bfloat16.

    Inputs and outputs of the model keep their types.

    Args:
        source: The model before it was converted, with float32 weights of the same names.
    """

    def __init__(self, source: onnx_ir.Model) -> None:
        self._weights = {
            name: value.const_value for graph in every_graph(source) for name, value in graph.initializers.items()
        }

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Retype weights, attributes and values."""
        modified = False
        for graph in every_graph(model):
            for name, value in graph.initializers.items():
                if value.const_value is not None and value.const_value.dtype == _HALF:
                    original = self._weights[name]
                    assert original is not None, "a weight that the converter kept has its numbers"
                    value.const_value = onnx_ir.tensor(original.numpy().astype(ml_dtypes.bfloat16), name=name)
                    value.dtype = _BRAIN
                    modified = True
            # What the model itself takes keeps its type; the body of a loop takes what the loop has.
            given = [] if graph is model.graph else list(graph.inputs)
            made = [value for node in graph for value in node.outputs]
            for value in (*given, *made):
                if value.dtype == _HALF:
                    value.dtype = _BRAIN
                    modified = True
            for node in graph:
                modified = _retype(node) or modified
        return PassResult(model, modified)


def _retype(node: onnx_ir.Node) -> bool:
    modified = False
    for name, attribute in list(node.attributes.items()):
        if attribute.is_ref():
            continue
        if attribute.type == onnx_ir.AttributeType.INT and name in ("to", "dtype") and attribute.value == _HALF:
            node.attributes[name] = onnx_ir.AttrInt64(name, _BRAIN.value)
            modified = True
        elif attribute.type == onnx_ir.AttributeType.TENSOR and attribute.as_tensor().dtype == _HALF:
            tensor = attribute.as_tensor()
            value = onnx_ir.tensor(tensor.numpy().astype(ml_dtypes.bfloat16), name=tensor.name)
            node.attributes[name] = onnx_ir.AttrTensor(name, value)
            modified = True
    return modified


class RoundToBrainFloats(InPlacePass):
    """Let a float32 graph round as the bfloat16 one that it is given as.

    ONNX Runtime's CPU has no bfloat16 operators. Each value is rounded to bfloat16 after it was computed in float32, as
    hardware with wide accumulators does. Inputs and outputs of the model keep their types.
    """

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Widen weights, and round values."""
        modified = False
        for graph in every_graph(model):
            for name, weight in graph.initializers.items():
                if weight.const_value is not None and weight.const_value.dtype == _BRAIN:
                    weight.const_value = onnx_ir.tensor(array_of(weight).astype(np.float32), name=name)
                    weight.dtype = _FULL
                    modified = True
            given = [value for value in graph.inputs if value.dtype == _BRAIN and graph is not model.graph]
            for value in given:
                value.dtype = _FULL
            brain = [value for node in graph for value in node.outputs if value.dtype == _BRAIN]
            made = [value for value in brain if not _is_rounding(value)]
            for value in made:
                _round(value, keep_type=graph is model.graph and value.is_graph_output())
            modified = modified or bool(given) or bool(made)
        return PassResult(model, modified)


def _is_rounding(value: onnx_ir.Value) -> bool:
    """Whether it is narrowed and widened again at once, as this pass does it."""
    node = value.producer()
    users = [use.node for use in value.uses()]
    return node is not None and _casts_to(node, _BRAIN) and all(_casts_to(user, _FULL) for user in users)


def _casts_to(node: onnx_ir.Node, kind: onnx_ir.DataType) -> bool:
    return node.op_type == "Cast" and node.attributes.get_int("to") == kind


def _round(value: onnx_ir.Value, *, keep_type: bool) -> None:
    node = value.producer()
    assert node is not None, "a value of a node"
    assert node.graph is not None, "a node of a graph"
    if _casts_to(node, _BRAIN):
        node.attributes["to"] = onnx_ir.AttrInt64("to", _FULL.value)
    narrow = onnx_ir.node("Cast", [value], {"to": _BRAIN.value}, name=f"{value.name}_narrow")
    wide = onnx_ir.node("Cast", narrow.outputs, {"to": _FULL.value}, name=f"{value.name}_wide")
    value.dtype = _FULL
    narrowed, rounded = narrow.outputs[0], wide.outputs[0]
    narrowed.name, rounded.name = f"{value.name}_narrowed", f"{value.name}_rounded"
    for other, kind in ((narrowed, _BRAIN), (rounded, _FULL)):
        other.dtype, other.shape = kind, value.shape
    if keep_type:
        outputs = node.graph.outputs
        outputs[outputs.index(value)] = narrowed
        narrowed.name, value.name = value.name, narrowed.name
    value.replace_all_uses_with(rounded, replace_graph_outputs=True)
    # What was just replaced is the first cast's own input as well.
    narrow.replace_input_with(0, value)
    node.graph.insert_after(node, [narrow, wide])
