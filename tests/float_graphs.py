"""Small graphs with operators that no quantizer takes blindly."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

# Weights of a model, each of random numbers: name -> shape.
_SHAPES = {
    "W": (8, 8),
    "R": (8, 8),
    "C": (8, 8, 1, 1),
    "B": (8,),
    "LW": (1, 32, 8),
    "LR": (1, 32, 8),
    "GW": (1, 24, 8),
    "GR": (1, 24, 8),
    "RW": (1, 8, 8),
    "RR": (1, 8, 8),
}
_RANDOM = np.random.default_rng(0)
WEIGHTS: dict[str, Any] = {
    **{name: (0.5 * _RANDOM.standard_normal(shape)).astype(np.float32) for name, shape in _SHAPES.items()},
    # The places of a picture, two numbers each.
    "mesh": np.stack(np.meshgrid(np.arange(8) + 0.5, np.arange(8) + 0.5), -1).reshape(1, 64, 2).astype(np.float32),
    "anchors": (80 * _RANDOM.random((64, 2)) + 20).astype(np.float32),
    "bins": np.arange(8, dtype=np.float32).reshape(8, 1),
    "trip": np.array(4),
    "go": np.array(True),
    "zero": np.array(0),
    "one": np.array([1]),
    "two": np.array([2.0], np.float32),
    "zeros": np.zeros(1, np.float32),
    "three": np.array([3]),
    "boxes": np.array([100]),
}


def graph_of(nodes: str, ends: str = "(float[N, 8] x) => (float[N, 8] y)") -> ir.Model:
    """A model with those weights that its nodes name; `C1` and `C2` are two of them like `C`."""
    model = ir.from_onnx_text(f'<ir_version: 10, opset_import: ["" : 20]> g {ends} {{ {nodes} }}')
    made = {value.name for node in model.graph.all_nodes() for value in node.outputs}
    for node in model.graph.all_nodes():
        for value in filter(None, node.inputs):
            kind = str(value.name).rstrip("0123456789")
            if kind not in WEIGHTS or value.name in made or value.is_initializer() or value.is_graph_input():
                continue
            # All inputs of one name are one value.
            tensor = ir.tensor(WEIGHTS[kind], name=value.name)
            value.const_value, value.dtype = tensor, tensor.dtype
            value.shape = ir.Shape(tensor.shape.numpy())
            model.graph.register_initializer(value)
    return model


# The places of a picture, raw boxes and scores: decoded as YOLOv8 does it, by bins, centres and anchors in one tensor.
HEAD = """[trunk] t = MatMul(x, W) [relu] r = Relu(t)
    [score] s = MatMul(r, W1) [sigmoid] p = Sigmoid(s)
    [box] b = MatMul(r, R) [bias] c = Add(b, B) [soft] q = Softmax(c) [bins] d = MatMul(q, bins)
    [centre] m = Add(d, mesh) [size] n = Mul(m, anchors) [join] y = Concat<axis = -1>(n, p)"""
# Speech synthesis up to where durations are whole numbers of frames.
MAP = "(float[1, 8, H, V] x) => (y)"
DURATIONS = """[encoder] e = Conv(x, C)
    [predictor] p = Conv(e, C1) [relu] r = Relu(p) [last] l = Conv(r, C2) [exp] w = Exp(l) [ceil] c = Ceil(w)"""
