"""Small graphs of every opset from 9 to 23, with what exporters of the time wrote: attributes that became inputs, names
that are not identifiers, domains that nothing uses, weights as inputs, branches, wrong shapes of outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

OPSETS = tuple(range(9, 24))
# The version of the file format that belongs to the opset, or the oldest that takes it.
_IR = {9: 3, 10: 4, 11: 5, 12: 6, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 10}
INPUTS = ("pixels:0", "steps", "gain")
OUTPUT = '{"1": "a/b"}'
_SEED = 7


class _Builder:
    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.random = np.random.default_rng(_SEED)
        self.nodes: list[ir.Node] = []
        self.weights: list[ir.Value] = []

    def weight(self, *shape: int, value: Any = None) -> ir.Value:
        array = self.random.normal(size=shape).astype(np.float32) if value is None else np.asarray(value)
        name = f"onnx::{len(self.weights)}.weight"
        self.weights.append(ir.Value(name=name, const_value=ir.tensor(array, name=name)))
        self.weights[-1].shape, self.weights[-1].type = ir.Shape(array.shape), ir.TensorType(ir.tensor(array).dtype)
        return self.weights[-1]

    def __call__(self, kind: str, *inputs: ir.Value | None, outputs: int = 1, **attributes: Any) -> Any:
        node = ir.node(kind, list(inputs), attributes, num_outputs=outputs, name=f"/{kind}.{len(self.nodes)}")
        self.nodes.append(node)
        for index, value in enumerate(node.outputs):
            value.name = f"{kind}/{len(self.nodes)}:{index}"
        return node.outputs[0] if outputs == 1 else node.outputs

    def axes(self, kind: str, value: ir.Value, axes: list[int], since: int, **attributes: Any) -> Any:
        """An operator whose axes were an attribute before the opset `since`."""
        if self.opset < since:
            return self(kind, value, axes=axes, **attributes)
        return self(kind, value, self.weight(value=np.array(axes, np.int64)), **attributes)


def write_graph(path: Path, opset: int) -> Path:
    """A graph from pictures, a sequence and a single value to probabilities of five classes."""
    b = _Builder(opset)
    pixels = _value(INPUTS[0], ["DynamicDimension.0", 3, 12, 12])
    steps = _value(INPUTS[1], ["?", 6, 4])
    gain = _value(INPUTS[2], [])
    joined = b("Concat", _pictures(b, pixels), _sequence(b, steps), axis=1)
    scaled = b("Mul", joined, gain)
    last = b("Softmax", b("Gemm", _branch(b, scaled), b.weight(12, 5), b.weight(5), alpha=0.5), axis=1)
    last.name, last.type = OUTPUT, ir.TensorType(ir.DataType.FLOAT)
    # As CenterFace's, the shape that is declared is wrong.
    last.shape = ir.Shape([10, 5])
    ir_version = _IR[opset]
    inputs = [pixels, steps, gain, *(b.weights if ir_version < 4 else [])]
    imports = {"": opset, "com.microsoft.nchwc": 1, "org.pytorch.aten": 1, "ai.onnx.ml": 2}
    graph = ir.Graph(inputs, [last], nodes=b.nodes, initializers=b.weights, opset_imports=imports, name="")
    ir.save(ir.Model(graph, ir_version=ir_version), path)
    return path


def _value(name: str, shape: list[Any]) -> ir.Value:
    return ir.Value(name=name, shape=ir.Shape(shape), type=ir.TensorType(ir.DataType.FLOAT))


def _pictures(b: _Builder, pixels: ir.Value) -> Any:
    """[n, 3, 12, 12] to [n, 8]."""
    pads = [0, 0, 1, 1, 0, 0, 1, 1]
    since_11 = [] if b.opset < 11 else [b.weight(value=np.array(pads, np.int64))]
    padded = b("Pad", pixels, *since_11) if since_11 else b("Pad", pixels, pads=pads)
    made = b("Conv", padded, b.weight(8, 3, 3, 3), b.weight(8), kernel_shape=[3, 3])
    norm = [b.weight(8), b.weight(8), b.weight(8), b.weight(value=np.full(8, 1.5, np.float32))]
    made = b("Relu", b("BatchNormalization", made, *norm, epsilon=1e-3))
    made = b("MaxPool", made, kernel_shape=[2, 2], strides=[2, 2])
    scales = b.weight(value=np.array([1, 1, 2, 2], np.float32))
    if b.opset == 9:
        made = b("Upsample", made, scales, mode="nearest")
    elif b.opset == 10:
        made = b("Resize", made, scales, mode="nearest")
    else:
        roi = b.weight(value=np.zeros(0, np.float32)) if b.opset < 13 else None
        made = b("Resize", made, roi, scales, mode="nearest", nearest_mode="floor")
    if b.opset < 11:
        made = b("Clip", made, min=-4.0, max=4.0)
    else:
        low, high = (b.weight(value=np.float32(bound)) for bound in (-4, 4))
        made = b("Clip", made, low, high)
    if b.opset >= 20:
        made = b("Gelu", made)
    made = b.axes("ReduceMean", made, [2, 3], 18, keepdims=0)
    if b.opset >= 17:
        made = b("LayerNormalization", made, b.weight(8), b.weight(8))
    if b.opset >= 23:
        made = b("RMSNormalization", made, b.weight(8))
    return made


def _sequence(b: _Builder, steps: ir.Value) -> Any:
    """[n, 6, 4] to [n, 4]: the last state of an LSTM."""
    turned = b("Transpose", steps, perm=[1, 0, 2])
    _, hidden, _ = b("LSTM", turned, b.weight(1, 16, 4), b.weight(1, 16, 4), b.weight(1, 32), outputs=3, hidden_size=4)
    return b.axes("Squeeze", hidden, [0], 13)


def _branch(b: _Builder, value: ir.Value) -> Any:
    """What is above zero in all is doubled, what is below is turned: by branches that hold weights of their own."""
    total = b.axes("ReduceSum", value, [0, 1], 13, keepdims=0)
    zero = b.weight(value=np.float32(0))
    branches: dict[str, Any] = {}
    for name, factor in (("then_branch", 2.0), ("else_branch", -1.0)):
        constant = ir.node("Constant", [], {"value": ir.tensor(np.array([factor], np.float32))})
        product = ir.node("Mul", [value, constant.outputs[0]])
        constant.outputs[0].name, product.outputs[0].name = f"{name}.factor", f"{name}.out"
        product.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        branches[name] = ir.Graph([], product.outputs, nodes=[constant, product], name=name)
    return b("If", b("Greater", total, zero), **branches)


def samples(count: int) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays for the graph, samples along the first axis; of single values too."""
    random = np.random.default_rng(_SEED + 1)
    shapes = ((count, 3, 12, 12), (count, 6, 4), (count,))
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in zip(INPUTS, shapes, strict=True)}
