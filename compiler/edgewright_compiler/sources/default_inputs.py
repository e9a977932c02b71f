"""Inputs of ONNX files that have a value of their own where a caller gives none: an initializer of the same name.

Since IR version 4 this is what such an initializer means; before, every weight had to be an input. Exporters still
write all weights so on request, and those cannot be told by the file: by what reads them they can.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx_ir

    Array = np.ndarray[Any, Any]

_FIRST_VERSION = 4
# Values of a default travel in the manifest; larger ones are weights.
_MOST_VALUES = 4096
_MOST = 2**31
_TYPES = (
    "BOOL", "FLOAT", "FLOAT16", "DOUBLE", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32",
)  # fmt: skip
# Operators and which of their inputs are weights.
_WEIGHTS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm", "LayerNormalization", "InstanceNormalization"), (1, 2)),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear", "GroupNormalization"), (1, 2)),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), (1, 2, 3)),
    **dict.fromkeys(("ConvInteger", "MatMulInteger", "MatMul", "PRelu"), (1,)),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul"), (1, 2, 3, 4, 5, 6, 7, 8)),
    "BatchNormalization": (1, 2, 3, 4),
    "Gather": (0,),
}


def default_inputs(model: onnx_ir.Model) -> dict[str, Array]:
    """Inputs with a value of their own, and the value; none where the file has its weights among the inputs."""
    graph = model.graph
    if (model.ir_version or 0) < _FIRST_VERSION:
        return {}
    values = [value for value in graph.inputs if value.name in graph.initializers]
    if any(_is_weight(value) for value in values):
        return {}
    found = {}
    for value in values:
        tensor = graph.initializers[str(value.name)].const_value
        if tensor is None or tensor.size > _MOST_VALUES or tensor.dtype.name not in _TYPES:
            continue
        array = tensor.numpy()
        # What a manifest can say: finite numbers, and whole ones of 32 bits.
        small = array.dtype.kind == "f" or np.abs(array.astype(np.float64)).max(initial=0) < _MOST
        if np.isfinite(array).all() and small:
            found[str(value.name)] = array
    return found


def _is_weight(value: onnx_ir.Value) -> bool:
    return any(index in _WEIGHTS.get(node.op_type, ()) for node, index in value.uses())


def step_options(defaults: Mapping[str, Array]) -> dict[str, object]:
    """Options of the step `default_arrays`."""
    return {
        "values": {
            name: {"type": str(array.dtype), "shape": list(array.shape), "values": array.reshape(-1).tolist()}
            for name, array in defaults.items()
        }
    }
