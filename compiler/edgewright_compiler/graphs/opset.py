"""Older graphs in a newer opset, with ONNX's own converter: what they compute stays the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# DequantizeLinear takes a scale for each channel from here on.
CHANNEL_SCALES = 13
# QuantizeLinear and DequantizeLinear have float8 from here on,
FLOAT8 = 19
# and integers of 16 bits from here.
WIDE_INTEGERS = 21
# Of constants that say how an operator works; weights are larger.
_SMALL_BYTES = 1024


class OpsetError(Exception):
    """The graph cannot be written in the newer opset; the text says why, for people."""


def raise_opset(graph: Path, model: Any, least: int) -> Path:
    """A file beside `graph` with the same graph in the opset `least`; `graph` itself where its own is no older.

    Args:
        graph: ONNX file, its weights beside it.
        model: The same, as `onnx_ir` has it.
        least: An opset of ONNX.

    Raises:
        OpsetError: An operator cannot be converted.
    """
    import onnx_ir
    from onnx import version_converter

    opset = model.opset_imports.get("", least)
    if opset >= least:
        return graph
    weighty = onnx_ir.load(graph)
    weights = _without_weights(weighty)
    try:
        converted = version_converter.convert_version(onnx_ir.to_proto(weighty), least)
    except Exception as error:  # what the converter throws has no common base
        raise OpsetError(f"Its opset {opset} cannot be raised to {least}: {error}") from error
    raised = onnx_ir.from_proto(converted)
    for value in list(raised.graph.inputs):
        if value.name in weights:
            raised.graph.inputs.remove(value)
            value.const_value = weights[value.name]
            raised.graph.initializers[value.name] = value
    made = graph.with_name("raised.onnx")
    onnx_ir.save(raised, made, external_data="raised.bin")
    return made


def _without_weights(model: Any) -> dict[str, Any]:
    """Make inputs of the weights of a graph, and give their numbers by their names.

    The converter takes a whole graph as one message of protobuf, which holds no more than 2 GB. It looks into small
    constants alone, such as axes and sizes: these stay.
    """
    import onnx_ir

    found = {}
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
        value.shape, value.type = onnx_ir.Shape(tensor.shape), onnx_ir.TensorType(tensor.dtype)
        model.graph.inputs.append(value)
    return found
