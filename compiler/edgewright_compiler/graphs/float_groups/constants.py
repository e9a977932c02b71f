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
# As a share of all coordinates, how far two of them lie apart that float32 alone has told apart.
_ROUNDED = 1e-6
# Of so many places of a grid, one is taken at least.
_SPARSE = 4


def takes_progression(node: onnx_ir.Node) -> bool:
    """Whether a weight of a node is a progression such as 0, 1, 2, ..., as in the boxes of YOLOv8."""
    held = [constant(value) for value in node.inputs[:2]]
    return any(one is not None and _is_progression(one.tensor) for one in held)


def _is_progression(tensor: onnx_ir.TensorProtocol) -> bool:
    if not tensor.dtype.is_floating_point() or long_axes(tensor) != 1:
        return False
    if not _LEAST_STEPS <= tensor.size <= _LARGEST_GRID:
        return False
    numbers = tensor.numpy().astype(float).ravel()
    # Masks have -inf.
    if not np.isfinite(numbers).all():
        return False
    steps = np.diff(numbers)
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
    levels = np.unique(numbers)
    span = levels[-1] - levels[0]
    gaps = np.diff(levels)
    # Less apart are two roundings of one level.
    gaps = gaps[gaps > _ROUNDED * span]
    if not _LEAST_STEPS <= len(gaps) + 1 <= len(numbers) // 2:
        return False
    # The mean of them, as each was rounded.
    step = gaps[gaps < 1.5 * gaps.min()].mean()
    count = round(span / step)
    places = (numbers - levels[0]) * (count / span)
    # Floats of few bits are all multiples of the smallest of them; so most places must be taken.
    return bool(abs(places - places.round()).max() <= 10 * _UNEVEN and count <= _SPARSE * (len(gaps) + 1))


def long_axes(tensor: onnx_ir.TensorProtocol) -> int:
    """How many axes have more than one place."""
    return sum(length != 1 for length in tensor.shape.numpy())
