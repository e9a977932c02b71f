"""QDQ graphs in float8 (E4M3), made from symmetric int8 ones.

ONNX Runtime's own float8 quantizer wants all calibration samples of one shape, which texts are not. Its int8 quantizer
does not, and its scale is the largest value over 127; float8 has it at 448, so only scales and types
change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx_ir

_INT8_MAX = 127
# The largest finite value of E4M3 without infinities (Micikevicius et al., FP8 Formats for Deep Learning, 2022).
_E4M3_MAX = 448
_QDQ = ("QuantizeLinear", "DequantizeLinear")


def int8_to_float8(graph: Path) -> None:
    """Turn every QDQ pair of the int8 graph in the file `graph` into float8e4m3fn, in place.

    Weights must be quantized in the graph (`AddQDQPairToWeight`), so that they are rounded once.

    Raises:
        ValueError: A zero point is not zero, or of another type: the ranges were not symmetric.
    """
    import ml_dtypes
    import numpy as np
    import onnx_ir

    model = onnx_ir.load(graph)
    float8 = onnx_ir.DataType.FLOAT8E4M3FN
    initializers = model.graph.initializers
    nodes = [node for node in model.graph.all_nodes() if node.op_type in _QDQ]
    scales = {str(node.inputs[1].name) for node in nodes if node.inputs[1] is not None}
    zeros = {str(node.inputs[2].name) for node in nodes if len(node.inputs) > 2 and node.inputs[2] is not None}
    ratio = _INT8_MAX / _E4M3_MAX
    for name in zeros:
        zero = _array(initializers[name])
        if zero.dtype != np.int8 or zero.any():
            raise ValueError(f"the zero point '{name}' is {zero.dtype} and not all zero; float8 needs symmetric int8")
        _set(initializers[name], np.zeros(zero.shape, ml_dtypes.float8_e4m3fn), float8)
    for name in scales:
        scale = _array(initializers[name])
        made = (scale.astype(np.float32) * ratio).astype(scale.dtype)
        initializers[name].const_value = onnx_ir.tensor(made, name=name)
    for node in nodes:
        if node.op_type == _QDQ[0]:
            node.outputs[0].dtype = float8
    onnx_ir.save(model, graph, external_data=f"{graph.stem}.float8.bin")


def _array(value: onnx_ir.Value) -> Any:
    if value.const_value is None:
        raise ValueError(f"'{value.name}' is not a constant")
    return value.const_value.numpy()


def _set(value: onnx_ir.Value, array: Any, kind: onnx_ir.DataType) -> None:
    import onnx_ir

    value.const_value = onnx_ir.tensor(array, name=value.name)
    value.dtype = kind
