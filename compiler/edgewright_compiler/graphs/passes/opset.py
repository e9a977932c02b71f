"""Older graphs in a newer opset, with ONNX's own converter: what they compute stays the same.

onnxscript has a converter of its own. It leaves a node as it was where it cannot convert it, and logs that; ONNX's
raises, and knows opsets before 18.
"""

from __future__ import annotations

import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult
from onnx_ir.passes.common import LiftSubgraphInitializersToMainGraphPass

from edgewright_compiler.graphs.passes.contract import EditError, refuse_functions

# DequantizeLinear takes a scale for each channel from here on.
CHANNEL_SCALES = 13
# QuantizeLinear and DequantizeLinear have float8 from here on,
FLOAT8 = 19
# and integers of 16 bits from here.
WIDE_INTEGERS = 21
# Of constants that say how an operator works; weights are larger.
_SMALL_BYTES = 1024


class RaiseOpset(InPlacePass):
    """Write a graph in the opset `least` where its own is older.

    Args:
        least: An opset of ONNX.

    Raises:
        EditError: An operator cannot be converted.
    """

    def __init__(self, least: int) -> None:
        self._least = least

    def requires(self, model: onnx_ir.Model) -> None:
        """No functions: the converter drops them."""
        refuse_functions(model, "A newer opset")

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Convert a copy without weights, and take it with them."""
        from onnx import version_converter

        opset = model.graph.opset_imports.get("", self._least)
        if opset >= self._least:
            return PassResult(model, modified=False)
        bare = model.clone()
        weights = _take_weights(bare)
        try:
            converted = version_converter.convert_version(onnx_ir.to_proto(bare), self._least)
        except Exception as error:  # what the converter throws has no common base
            raise EditError(f"Its opset {opset} cannot be raised to {self._least}: {error}") from error
        raised = onnx_ir.from_proto(converted)
        for value in list(raised.graph.inputs):
            if value.name in weights:
                raised.graph.inputs.remove(value)
                value.const_value = weights[value.name]
                raised.graph.initializers[value.name] = value
        model.graph, model.ir_version = raised.graph, raised.ir_version
        return PassResult(model, modified=True)


def _take_weights(model: onnx_ir.Model) -> dict[str, onnx_ir.TensorProtocol]:
    """Make inputs of the weights of a graph, and give their numbers by their names.

    The converter takes a whole graph as one message of protobuf, which holds no more than 2 GB, and does not read files
    beside it. It looks into small constants alone, such as axes and sizes: these stay, and go into the message.
    """
    bodies = [value for graph in model.graph.subgraphs() for value in graph.initializers.values()]
    if any(value.const_value is not None and _is_apart(value.const_value) for value in bodies):
        # Only the top graph's can become inputs.
        LiftSubgraphInitializersToMainGraphPass()(model)
    found: dict[str, onnx_ir.TensorProtocol] = {}
    for name, value in list(model.graph.initializers.items()):
        tensor = value.const_value
        if tensor is None:
            continue
        if tensor.nbytes <= _SMALL_BYTES:
            # In the message, and not in a file beside it.
            value.const_value = onnx_ir.tensor(tensor.numpy(), name=name)
            continue
        found[name] = tensor
        del model.graph.initializers[name]
        value.const_value = None
        value.shape, value.type = onnx_ir.Shape(tensor.shape.numpy()), onnx_ir.TensorType(tensor.dtype)
        model.graph.inputs.append(value)
    return found


def _is_apart(tensor: onnx_ir.TensorProtocol) -> bool:
    return isinstance(tensor, onnx_ir.ExternalTensor) or tensor.nbytes > _SMALL_BYTES
