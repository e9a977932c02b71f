"""Float graphs in another float type. The precision is in the graph, where a strongly typed compiler wants it.

Which nodes change is decided by ONNX Runtime's own float16 converter, for bfloat16 as well: it knows the operators that
must stay in float32. For bfloat16 the values are then taken from the float32 weights anew, because float16 has another
range and more digits.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx_ir

# Exporters mask attention with the lowest float32 there is. What is beyond the first means infinity; the second is
# within float16, stays so when a score is added to it, and is 0 after a softmax.
_INFINITE = 1e6
_MASKED = 3e4


def cast_floats(graph: Path, float_type: str, made: Path) -> Path:
    """Write `graph` with floats of `float_type` as `made`; inputs and outputs of the graph keep their types.

    Args:
        graph: ONNX file, its weights beside it.
        float_type: `float16` or `bfloat16`.
        made: File to write, with its weights beside it.
    """
    import onnx_ir
    from onnxruntime.transformers.float16 import convert_float_to_float16

    source = onnx_ir.load(graph)
    bound_infinities(source, _MASKED)
    bounded = graph.with_name(f"bounded-{graph.name}")
    onnx_ir.save(source, bounded, external_data=f"{bounded.stem}.bin")
    model = onnx_ir.from_proto(convert_float_to_float16(str(bounded), keep_io_types=True))
    if float_type == "bfloat16":
        _to_bfloat16(model, onnx_ir.load(bounded))
    onnx_ir.save(model, made, external_data=f"{made.stem}.bin")
    return made


def bound_infinities(model: onnx_ir.Model, bound: float) -> None:
    """Replace float constants that stand for infinity by `bound`, with their sign."""
    import numpy as np
    import onnx_ir

    for value in model.graph.initializers.values():
        if value.const_value is None or value.const_value.dtype != onnx_ir.DataType.FLOAT:
            continue
        array = value.const_value.numpy()
        beyond = np.abs(array) >= _INFINITE
        if beyond.any():
            bounded = np.where(beyond, np.sign(array) * bound, array).astype(np.float32)
            value.const_value = onnx_ir.tensor(bounded, name=value.name)


def _to_bfloat16(model: onnx_ir.Model, source: onnx_ir.Model) -> None:
    import ml_dtypes
    import onnx_ir

    half, brain = onnx_ir.DataType.FLOAT16, onnx_ir.DataType.BFLOAT16
    for name, value in model.graph.initializers.items():
        if value.const_value is None or value.const_value.dtype != half:
            continue
        original = source.graph.initializers[name].const_value
        assert original is not None, "an initializer that the converter kept has its value"
        value.const_value = onnx_ir.tensor(original.numpy().astype(ml_dtypes.bfloat16), name=name)
        value.dtype = brain
    for node in model.graph.all_nodes():
        for attribute in list(node.attributes.values()):
            _retype(node, attribute, half, brain)
        for output in node.outputs:
            if output.dtype == half:
                output.dtype = brain


def _retype(node: onnx_ir.Node, attribute: Any, half: onnx_ir.DataType, brain: onnx_ir.DataType) -> None:
    import ml_dtypes
    import onnx_ir

    if attribute.type == onnx_ir.AttributeType.INT and attribute.name in ("to", "dtype") and attribute.value == half:
        node.attributes[attribute.name] = onnx_ir.AttrInt64(attribute.name, brain.value)
    elif attribute.type == onnx_ir.AttributeType.TENSOR and attribute.value.dtype == half:
        value = onnx_ir.tensor(attribute.value.numpy().astype(ml_dtypes.bfloat16), name=attribute.value.name)
        node.attributes[attribute.name] = onnx_ir.AttrTensor(attribute.name, value)


def rounding_to_bfloat16(graph: Path) -> Path:
    """A float32 graph that rounds as the bfloat16 one in the file `graph`, beside it; `graph` itself if it is none.

    ONNX Runtime's CPU has no bfloat16 operators. Each value is rounded to bfloat16 after it was computed in float32, as
    hardware with wide accumulators does.
    """
    import onnx_ir

    model = onnx_ir.load(graph)
    brain, full = onnx_ir.DataType.BFLOAT16, onnx_ir.DataType.FLOAT
    rounded = [(node, output) for node in model.graph.all_nodes() for output in node.outputs if output.dtype == brain]
    if not rounded:
        return graph
    for name, value in model.graph.initializers.items():
        if value.const_value is not None and value.const_value.dtype == brain:
            value.const_value = onnx_ir.tensor(value.const_value.numpy().astype("float32"), name=name)
            value.dtype = full
    for node, output in rounded:
        to = node.attributes.get("to")
        if to is not None and to.value == brain:
            node.attributes["to"] = onnx_ir.AttrInt64("to", full.value)
        narrow = onnx_ir.node("Cast", [output], {"to": brain.value}, name=f"{output.name}_narrow")
        wide = onnx_ir.node("Cast", narrow.outputs, {"to": full.value}, name=f"{output.name}_wide")
        output.dtype = full
        narrow.outputs[0].name, wide.outputs[0].name = f"{output.name}_narrowed", f"{output.name}_rounded"
        narrow.outputs[0].dtype, wide.outputs[0].dtype = brain, full
        output.replace_all_uses_with(wide.outputs[0])
        # What was just replaced is the first cast's own input as well.
        narrow.replace_input_with(0, output)
        assert node.graph is not None, "a node of a graph"
        node.graph.insert_after(node, [narrow, wide])
    made = graph.with_name(f"rounding-{graph.name}")
    onnx_ir.save(model, made, external_data=f"{made.stem}.bin")
    return made
