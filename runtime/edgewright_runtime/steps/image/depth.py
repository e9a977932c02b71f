"""Depths on a coarse grid to a depth for each pixel of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import DepthMap
    from edgewright_runtime.steps.values import NamedValues

    Array = np.ndarray[Any, Any]

# Keys' parameter of cubic convolution, as torch and OpenCV have it.
_CUBIC = np.float32(-0.75)


class ReadDepth:
    """A depth for each place of a grid to one for each pixel of the picture.

    The grid is brought to the picture's size by cubic convolution, corners not aligned: what
    `post_process_depth_estimation` of transformers does, in the same arithmetic.

    Args:
        depth: Name of the graph's output, [1, height, width], perhaps with one channel.
        kind: `metric` where the output is a distance; `relative` where larger is nearer, in no unit: an inverse depth,
            of which neither the scale nor the place of zero is known.
    """

    def __init__(self, *, depth: str, kind: Literal["metric", "relative"] = "relative") -> None:
        if kind not in ("metric", "relative"):
            raise ValueError(f"kind is {kind!r}")
        self._depth = depth
        self._kind = kind

    def __call__(self, values: NamedValues) -> dict[str, DepthMap]:
        """Add `depth`, with its `kind` and the `values` of pixels: float32, of the picture's size.

        Raises:
            SampleError: The output is not one map of depths.
        """
        grid = values[self._depth]
        edges = [edge for place, edge in enumerate(grid.shape) if edge != 1 or place in (grid.ndim - 2, grid.ndim - 1)]
        if grid.ndim == 4 and grid.shape[1] != 1 and grid.shape[3] == 1:
            edges = list(grid.shape[1:3])
        one = len(edges) == 2 and edges[0] * edges[1] == grid.size
        if grid.ndim not in (2, 3, 4) or not one or not grid.size:
            raise SampleError(
                f"The model's output '{self._depth}' has the shape {list(grid.shape)}; expected one map of depths, "
                "[1, height, width]."
            )
        return {"depth": {"kind": self._kind, "values": cubic(grid.reshape(edges), *values["image_size"])}}


def cubic(grid: Array, height: int, width: int) -> Array:
    """Values at another size by cubic convolution; float32, [height, width].

    Args:
        grid: Any floats, [rows, columns].
        height: To have.
        width: To have.
    """
    found: Array = grid.astype(np.float32, copy=False)
    for axis, wanted in ((1, width), (0, height)):
        places, shares = _taps(found.shape[axis], wanted)
        shape = (-1, 1) if axis == 0 else (1, -1)
        parts = (np.take(found, at, axis=axis) * share.reshape(shape) for at, share in zip(places, shares, strict=True))
        found = sum(parts, np.zeros((), np.float32))
    return found


def _taps(size: int, wanted: int) -> tuple[Array, Array]:
    """The four of `size` places that each of `wanted` ones is made of, and their shares; [4, wanted] each."""
    scale = np.float32(size) / np.float32(wanted)
    at = scale * (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5)
    first = np.floor(at)
    rest = (at - first).astype(np.float32)
    shares = [_far(rest + 1), _near(rest), _near(1 - rest), _far(2 - rest)]
    places = first.astype(np.int64) + np.arange(-1, 3)[:, None]
    return np.clip(places, 0, size - 1), np.stack(shares).astype(np.float32)


def _near(distance: Array) -> Array:
    """The share of a place up to 1 away."""
    found: Array = ((_CUBIC + 2) * distance - (_CUBIC + 3)) * distance * distance + 1
    return found


def _far(distance: Array) -> Array:
    """The share of a place from 1 to 2 away."""
    found: Array = ((_CUBIC * distance - 5 * _CUBIC) * distance + 8 * _CUBIC) * distance - 4 * _CUBIC
    return found
