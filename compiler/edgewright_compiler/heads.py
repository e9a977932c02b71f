"""The last layers of a graph: corners of boxes are read off their outputs as they are, so rounding moves the boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir

_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def last_layers(model: onnx_ir.Model) -> tuple[str, ...]:
    """Names of the layers with weights from which an output is reached without another one; unnamed ones get a name."""
    weights = set(model.graph.initializers.values())
    waiting = list(model.graph.outputs)
    seen: set[onnx_ir.Value] = set()
    found: list[str] = []
    while waiting:
        value = waiting.pop()
        node = value.producer()
        if node is None or value in seen:
            continue
        seen.add(value)
        if node.op_type in _LAYERS and any(part in weights for part in node.inputs):
            node.name = node.name or f"last_layer_of_{value.name}"
            found.append(node.name)
        else:
            waiting += [part for part in node.inputs if part is not None]
    return tuple(sorted(set(found)))
