"""Constants that hold positions, told by their values: even steps, which nothing that was learned has."""

from __future__ import annotations

import numpy as np
import onnx_ir

from edgewright_compiler.graphs.passes.weights import constant

# The least numbers that make a progression.
_LEAST_STEPS = 4
# Constants with more numbers are weights: the grid of an 8K picture has 66 million, that of what networks see far less.
_LARGEST_GRID = 2**22
# How far steps of a progression differ, as a share of a step: what float32 does to normalized coordinates.
_UNEVEN = 0.01


def takes_progression(node: onnx_ir.Node) -> bool:
    """Whether a weight of a node is a progression such as 0, 1, 2, ..., as in the boxes of YOLOv8."""
    held = [constant(value) for value in node.inputs[:2]]
    return any(one is not None and _is_progression(one.tensor) for one in held)


def _is_progression(tensor: onnx_ir.TensorProtocol) -> bool:
    if not tensor.dtype.is_floating_point() or long_axes(tensor) != 1:
        return False
    if not _LEAST_STEPS <= tensor.size <= _LARGEST_GRID:
        return False
    numbers = tensor.numpy().ravel()
    steps = numbers[1:].astype(float) - numbers[:-1].astype(float)
    return bool(steps[0] != 0 and abs(steps - steps[0]).max() <= _UNEVEN * abs(steps[0]))


def is_grid(tensor: onnx_ir.TensorProtocol) -> bool:
    """Whether a constant holds coordinates: 0, 1, 2, ..., or such even steps again and again.

    Learned numbers have no even steps. Centres of cells of several sizes, one list after the other, have those of the
    smallest.
    """
    if not tensor.dtype.is_floating_point() or not 2 * _LEAST_STEPS <= tensor.size <= _LARGEST_GRID:
        return False
    if _is_progression(tensor):
        return True
    numbers = tensor.numpy().astype(float).ravel()
    if not np.isfinite(numbers).all():
        return False
    levels = np.unique(np.round(numbers, 5))
    if not _LEAST_STEPS <= len(levels) <= len(numbers) // 2:
        return False
    step = np.diff(levels).min()
    places = (levels - levels[0]) / step
    # Of levels that lie far apart, the steps between them mean nothing.
    return bool(abs(places - places.round()).max() <= 10 * _UNEVEN and places[-1] <= 2 * len(numbers))


def long_axes(tensor: onnx_ir.TensorProtocol) -> int:
    """How many axes have more than one place."""
    return sum(length != 1 for length in tensor.shape.numpy())
