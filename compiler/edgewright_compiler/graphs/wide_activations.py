"""Activations of 16 bits around some nodes of a graph whose other activations have 8 bits.

A node takes and gives activations of one type. So each value has the type of the node that gives it, and is converted
for the nodes that want the other one. ONNX Runtime's own fixer of mixed precision begins at values instead, and makes
the nodes behind each of them wide too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx_ir

# What `onnxruntime.quantization` calls overrides: value to one table of how it is quantized.
Overrides = dict[str, list[dict[str, Any]]]


def wide_overrides(model: onnx_ir.Model, nodes: Collection[str], outputs: Collection[str]) -> Overrides:
    """How the values are quantized that are not of 8 bits everywhere.

    Args:
        model: The graph that is quantized; types of values are found in place.
        nodes: Names of the nodes that work on 16 bits.
        outputs: Names of values: nodes that give one of them work on 16 bits too. Nodes that were fused have names of
            their own, and their values have not.
    """
    import onnx_ir
    from onnx_ir.passes.common import ShapeInferencePass
    from onnxruntime.quantization import QuantType

    model = ShapeInferencePass()(model).model
    wide = {node for node in model.graph if node.name in nodes or any(one.name in outputs for one in node.outputs)}
    types = (QuantType.QUInt8, QuantType.QUInt16)
    found: dict[onnx_ir.Value, dict[str, Any]] = {}
    for value in (*model.graph.inputs, *(value for node in model.graph for value in node.outputs)):
        if value.dtype != onnx_ir.DataType.FLOAT:
            continue
        given_wide = value.producer() in wide
        others = {str(node.name) for node, _ in value.uses() if (node in wide) != given_wide}
        if given_wide or others:
            found[value] = {"quant_type": types[given_wide]}
        if others:
            found[value]["convert"] = {"quant_type": types[not given_wide], "recv_nodes": others}
    for value, bounds in _cut_off(model, found).items():
        found.setdefault(value, {"quant_type": types[value.producer() in wide]}).update(bounds)
    return {str(value.name): [override] for value, override in found.items()}


def _cut_off(
    model: onnx_ir.Model, overrides: Mapping[onnx_ir.Value, Mapping[str, Any]]
) -> dict[onnx_ir.Value, dict[str, Any]]:
    """Bounds of values of which `Relu` or `Clip` cuts off a part.

    ONNX Runtime leaves these operators out where the range of their output does their work, but not beside a
    conversion. The value before one is then quantized too, and what is cut off must not stretch its range.
    """
    import numpy as np

    found: dict[onnx_ir.Value, dict[str, Any]] = {}
    for node in model.graph:
        value = node.inputs[0] if node.inputs else None
        if node.op_type not in ("Relu", "Clip") or value is None or len(value.uses()) != 1 or value.producer() is None:
            continue
        if not any("convert" in overrides.get(one, {}) for one in (value, node.outputs[0])):
            continue
        limits = [0.0] if node.op_type == "Relu" else [_constant(one) for one in node.inputs[1:3]]
        bounds = zip(("rmin", "rmax"), limits, strict=False)
        found[value] = {name: np.array(limit, np.float32) for name, limit in bounds if limit is not None}
    return found


def _constant(value: onnx_ir.Value | None) -> float | None:
    if value is None or value.const_value is None or value.const_value.size != 1:
        return None
    return float(value.const_value.numpy().reshape(()))
