"""QDQ graphs in float8 (E4M3), made from symmetric int8 ones.

ONNX Runtime's own float8 quantizer wants all calibration samples of one shape, which texts are not. Its int8 quantizer
does not, and its scale is the largest value over 127; float8 has it at 448, so only scales and types
change.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import EditError, every_node
from edgewright_compiler.graphs.passes.weights import Constant, constant

_INT8_MAX = 127
# The largest finite value of E4M3 without infinities (Micikevicius et al., FP8 Formats for Deep Learning, 2022).
_E4M3_MAX = 448
_FLOAT8 = onnx_ir.DataType.FLOAT8E4M3FN
_QDQ = ("QuantizeLinear", "DequantizeLinear")


class Int8ToFloat8(InPlacePass):
    """Turn every QDQ pair of a graph in int8 into float8e4m3fn.

    Weights must be quantized in the graph (`AddQDQPairToWeight`), so that they are rounded once.

    Raises:
        EditError: A zero point is not zero, or of another type: the ranges were not symmetric. Or it, or a scale, is
            not a constant.
    """

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Change zero points, scales and types."""
        pairs = [node for node in every_node(model) if node.op_type in _QDQ]
        zeros: dict[onnx_ir.Value, Constant] = {}
        scales: dict[onnx_ir.Value, Constant] = {}
        for node in pairs:
            scale, zero = _constant(node, 1, "scale"), _constant(node, 2, "zero point")
            if zero.tensor.dtype != _FLOAT8:
                scales[scale.value], zeros[zero.value] = scale, zero
        for zero in zeros.values():
            array = zero.tensor.numpy()
            if array.dtype != np.int8 or array.any():
                found = f"The zero point '{zero.value.name}' is {array.dtype} and not all zero"
                raise EditError(f"{found}; float8 needs symmetric int8.")
            zero.put(np.zeros(array.shape, ml_dtypes.float8_e4m3fn))
        for scale in scales.values():
            array = scale.tensor.numpy()
            scale.put((array.astype(np.float32) * (_INT8_MAX / _E4M3_MAX)).astype(array.dtype))
        for node in pairs:
            if node.op_type == _QDQ[0]:
                node.outputs[0].dtype = _FLOAT8
        return PassResult(model, bool(zeros))


def _constant(node: onnx_ir.Node, index: int, title: str) -> Constant:
    value = node.inputs[index] if index < len(node.inputs) else None
    found = constant(value)
    if found is None:
        raise EditError(f"The {title} of '{node.name}' is not a constant; float8 needs symmetric int8.")
    return found
