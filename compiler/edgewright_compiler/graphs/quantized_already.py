"""Is a graph quantized already? Then nothing quantizes it again, which would stack two roundings.

Looked for are the operators of quantization, whole numbers of few bits that are made floats on the way to a product
(weights of int8, `Cast` and `Mul`), and floats of 16 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx_ir

# Operators that turn numbers into few bits, and back.
_TURNING = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})
# Those that compute with them.
_COMPUTING = frozenset({
    "MatMulInteger", "ConvInteger", "QLinearMatMul", "QLinearConv", "MatMulNBits", "MatMulBnb4", "GatherBlockQuantized",
    "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM", "QGemm", "QAttention", "QMoE",
})  # fmt: skip
# Operators of ONNX Runtime's own whose names begin so work on quantized values, whatever they do with them.
_FAMILIES = ("QLinear", "QOrdered")


def quantized_already(model: onnx_ir.Model) -> str:
    """What shows that a graph is quantized, as in "it has MatMulInteger"; empty where nothing does."""
    nodes = list(model.graph.all_nodes())
    found = sorted({node.op_type for node in nodes if node.op_type in _TURNING or computes_in_integers(node.op_type)})
    if found:
        return f"it has {', '.join(found)}"
    narrow = sorted({str(kind) for node in nodes if node.op_type == "Cast" and (kind := _narrow_weight(node))})
    if narrow:
        return f"its weights are {', '.join(narrow)}"
    counts = _float_counts(model)
    half = {name: count for name, count in counts.items() if name in ("float16", "bfloat16")}
    if half and sum(half.values()) > counts.get("float32", 0):
        return f"its weights are {max(half, key=lambda name: half[name])}"
    if any(node.op_type == "Cast" and _casts_weights(node) for node in nodes):
        return "its weights are float16"
    return ""


def computes_in_integers(op_type: str) -> bool:
    """Whether an operator of this type computes with quantized numbers."""
    return op_type in _COMPUTING or op_type.startswith(_FAMILIES)


def _narrow_weight(node: onnx_ir.Node) -> str:
    """The type of whole numbers of few bits that this cast makes floats of; empty where it is not a cast of weights."""
    tensor = _constant(node.inputs[0])
    if tensor is None or len(tensor.shape) < 2 or not _to_float(node):
        return ""
    name = str(tensor.dtype.name).lower()
    return name if name in ("int8", "uint8", "int4", "uint4", "int2", "uint2") else ""


def _casts_weights(node: onnx_ir.Node) -> bool:
    tensor = _constant(node.inputs[0])
    return tensor is not None and len(tensor.shape) >= 2 and tensor.dtype.name in ("FLOAT16", "BFLOAT16")


def _to_float(node: onnx_ir.Node) -> bool:
    import onnx_ir

    to = node.attributes.get("to")
    return to is not None and onnx_ir.DataType(to.as_int()).is_floating_point()


def _constant(value: onnx_ir.Value | None) -> Any:
    """The tensor behind a value that never changes, or None."""
    if value is None:
        return None
    if value.const_value is not None:
        return value.const_value
    producer = value.producer()
    if producer is not None and producer.op_type == "Constant" and "value" in producer.attributes:
        return producer.attributes["value"].as_tensor()
    return None


def _float_counts(model: onnx_ir.Model) -> dict[str, int]:
    """Numbers in weights, by their type; single values are settings of operators and no weights."""
    counts: dict[str, int] = {}
    for tensor in _tensors(model):
        if tensor.size > 1 and tensor.dtype.is_floating_point():
            name = {"FLOAT": "float32"}.get(tensor.dtype.name, tensor.dtype.name.lower())
            counts[name] = counts.get(name, 0) + tensor.size
    return counts


def _tensors(model: onnx_ir.Model) -> Iterator[Any]:
    for graph in model.graphs():
        for value in graph.initializers.values():
            if value.const_value is not None:
                yield value.const_value
    for node in model.graph.all_nodes():
        if node.op_type == "Constant" and "value" in node.attributes:
            yield node.attributes["value"].as_tensor()
