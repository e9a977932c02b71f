"""Models with known weak places, for searches: layers that int8 ruins, and layers that int8 makes slower.

Both are written in code, the same in every process.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

_SEED = 11
_OPSET = 17
# Layers of `write_ruined`, and those that int8 ruins, as names of nodes.
LAYERS = tuple(f"layer_{index}" for index in range(8))
RUINED = ("layer_1", "layer_4", "layer_6")
# So much larger is one channel than the others before a ruined layer: in 8 bits nothing is left of these.
_OUTLIER = 3000.0
# Layers of `write_slowed` that int8 makes faster, and those that it makes slower.
FASTER = tuple(f"convolution_{index}" for index in range(4))
SLOWER = tuple(f"transposed_{index}" for index in range(4))


def write_ruined(path: Path, width: int = 32, rows: int = 1) -> Path:
    """Eight products of which int8 ruins three, from `x` `[batch, rows, width]` to `y`, as an ONNX file; gives it.

    Before each of the three one channel is scaled up, and the layer's weights for it are scaled down by as much. In
    float that changes nothing; in 8 bits the other channels share a single step.

    Args:
        path: The file.
        width: Numbers between layers.
        rows: Rows that a layer multiplies at once.
    """
    random = np.random.default_rng(_SEED)
    graph = _Writer(("batch", rows, width))
    for index, name in enumerate(LAYERS):
        weight = random.standard_normal((width, width)) * (2 / width) ** 0.5
        if name in RUINED:
            scale = np.ones(width)
            scale[index] = _OUTLIER
            graph.add("Mul", f"scaling_{index}", scale)
            weight = weight / scale[:, None]
        graph.add("MatMul", name, weight)
        if name != LAYERS[-1]:
            graph.add("Relu", f"relu_{index}")
    return graph.write(path)


def write_slowed(path: Path, width: int = 16, size: int = 16) -> Path:
    """Four convolutions and four transposed ones, from `x` `[batch, width, size, size]` to `y`; gives the file.

    ONNX Runtime's CPU has no transposed convolution of integers, on any processor: in int8 it computes the same in
    float, and converts before and after it. These have one weight a channel, so that conversions cost as much as they.

    Args:
        path: The file.
        width: Channels between layers.
        size: Edge of the pictures.
    """
    random = np.random.default_rng(_SEED)
    graph = _Writer(("batch", width, size, size))
    for index, name in enumerate(FASTER):
        weight = random.standard_normal((width, width, 3, 3)) * (2 / (9 * width)) ** 0.5
        graph.add("Conv", name, weight, pads=[1, 1, 1, 1])
        graph.add("Relu", f"relu_{index}")
    for name in SLOWER:
        graph.add("ConvTranspose", name, random.uniform(0.5, 1.5, (width, 1, 1, 1)), group=width)
    return graph.write(path)


def feeds(count: int, *shape: int) -> list[dict[str, Any]]:
    """What these models are given for so many samples, each of this shape."""
    random = np.random.default_rng(_SEED)
    return [{"x": random.standard_normal((1, *shape)).astype(np.float32)} for _ in range(count)]


class _Writer:
    """A graph of one node after the other, from `x` to `y` of one shape."""

    def __init__(self, shape: tuple[str | int, ...]) -> None:
        self._shape = shape
        self._given = ir.Value(name="x", shape=ir.Shape(shape), type=ir.TensorType(ir.DataType.FLOAT))
        self._nodes: list[ir.Node] = []
        self._weights: list[ir.Value] = []

    def add(self, op_type: str, name: str, *weights: Any, **attributes: Any) -> None:
        last = self._nodes[-1].outputs[0] if self._nodes else self._given
        values = []
        for number, weight in enumerate(weights):
            tensor = ir.tensor(np.asarray(weight, dtype=np.float32), name=f"{name}.weight_{number}")
            values.append(ir.Value(name=tensor.name, const_value=tensor))
        self._weights += values
        node = ir.node(op_type, [last, *values], attributes, name=name)
        node.outputs[0].name = f"{name}.made"
        self._nodes.append(node)

    def write(self, path: Path) -> Path:
        last = self._nodes[-1].outputs[0]
        last.name, last.shape, last.type = "y", ir.Shape(self._shape), ir.TensorType(ir.DataType.FLOAT)
        graph = ir.Graph(
            [self._given],
            [last],
            nodes=self._nodes,
            initializers=self._weights,
            opset_imports={"": _OPSET},
            name="searched",
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        ir.save(ir.Model(graph, ir_version=8), path)
        return path
