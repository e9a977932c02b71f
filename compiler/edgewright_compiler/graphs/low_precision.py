"""Which nodes of a graph compute in a low precision: counted, so that an engine is what its name says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edgewright_compiler.graphs.quantized_already import computes_in_integers

if TYPE_CHECKING:
    import onnx_ir

# Operators whose second input is a weight: in integers only if that is quantized too.
_PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_HALF = ("FLOAT16", "BFLOAT16")


def low_precision_nodes(model: onnx_ir.Model, *, half: bool) -> dict[str, int]:
    """Operator type to the number of nodes that compute in a low precision, the most first.

    Among QDQ pairs a node counts that takes only dequantized numbers and gives them to be quantized again: of such a
    group runtimes make one operator ("Quantize ONNX models" in ONNX Runtime's documentation). A matrix product or a
    convolution counts without the latter: its sums may stay floats.

    Args:
        model: The graph.
        half: Floats of 16 bits count; else integers and float8 do.
    """
    found: Counter[str] = Counter()
    for node in model.graph.all_nodes():
        if is_low(node, half=half):
            found[node.op_type] += 1
    return dict(found.most_common())


def is_low(node: onnx_ir.Node, *, half: bool) -> bool:
    """Whether a node computes in a low precision.

    Args:
        node: Of a graph that was made.
        half: Floats of 16 bits count; else integers and float8 do.
    """
    return _in_half(node) if half else _in_few_bits(node)


def _in_few_bits(node: onnx_ir.Node) -> bool:
    return computes_in_integers(node.op_type) or _in_pairs(node) or _gives_integers(node)


def _in_pairs(node: onnx_ir.Node) -> bool:
    if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
        return False
    data = node.inputs[:2] if node.op_type in _PRODUCTS or _two_sided(node) else node.inputs[:1]
    if not data or not all(value is not None and _dequantized(value) for value in data):
        return False
    return node.op_type in _PRODUCTS or any(
        use.node.op_type == "QuantizeLinear" for output in node.outputs for use in output.uses()
    )


def _two_sided(node: onnx_ir.Node) -> bool:
    return node.op_type in ("Add", "Sub", "Mul", "Div")


def _dequantized(value: onnx_ir.Value) -> bool:
    """Whether a value comes from a pair, or is a weight that is kept quantized."""
    made = value.producer()
    if made is None or made.op_type != "DequantizeLinear" or made.inputs[0] is None:
        return False
    source = made.inputs[0].producer()
    return source is None or source.op_type in ("QuantizeLinear", "Constant")


def _gives_integers(node: onnx_ir.Node) -> bool:
    """A look-up in an embedding of integers, whose rows are dequantized."""
    return node.op_type == "Gather" and any(
        use.node.op_type == "DequantizeLinear" for output in node.outputs for use in output.uses()
    )


def _in_half(node: onnx_ir.Node) -> bool:
    if node.op_type in ("Cast", "Constant", "QuantizeLinear", "DequantizeLinear"):
        return False
    values = (*node.inputs, *node.outputs)
    return any(value is not None and value.dtype is not None and value.dtype.name in _HALF for value in values)
