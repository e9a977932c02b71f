"""The places of a detector's grids: where they lie, and which part of the graph's outputs belongs to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.steps.boxes.candidates import misfit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgewright_runtime.steps.values import NamedValues

# Channels that pictures may have.
_CHANNELS = (1, 3)


@dataclass(frozen=True)
class Grids:
    """The grids of a detector over a picture.

    Attributes:
        sizes: Rows and columns of each.
        strides: Pixels of the graph's input between two places of each, down and to the right.
        per_place: Boxes that a place of each has.
    """

    sizes: tuple[tuple[int, int], ...]
    strides: tuple[tuple[float, float], ...]
    per_place: tuple[int, ...]

    @property
    def counts(self) -> list[int]:
        """Boxes of each grid."""
        return [rows * columns * each for (rows, columns), each in zip(self.sizes, self.per_place, strict=True)]

    def centres(self, offset: float) -> NDArray[np.float32]:
        """The place of each box, x and y, in pixels of the graph's input, grid by grid and row by row; (boxes, 2).

        Args:
            offset: Where in its place, as a share of the stride: 0 is its upper left corner, 0.5 its middle.
        """
        found = []
        for (rows, columns), (down, right), each in zip(self.sizes, self.strides, self.per_place, strict=True):
            y, x = np.mgrid[:rows, :columns].astype(np.float32) + np.float32(offset)
            places = np.stack([x * np.float32(right), y * np.float32(down)], axis=-1)
            found.append(places.reshape(-1, 2).repeat(each, axis=0))
        return np.concatenate(found)

    def anchors(self, sizes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Width and height of each box's anchor, of those of each grid's places; (boxes, 2)."""
        pairs = zip(sizes, self.sizes, strict=True)
        return np.concatenate([np.tile(one, (rows * columns, 1)) for one, (rows, columns) in pairs])

    def of_each(self, values: Sequence[Any]) -> NDArray[np.float32]:
        """A value of each grid, for each box of it."""
        return np.repeat(np.asarray(values, dtype=np.float32), self.counts, axis=0)

    def rows(self, values: NamedValues, names: Sequence[str], expected: str) -> NDArray[np.float32]:
        """The outputs as one row for each box; (boxes, columns).

        One output may have all boxes, [1, boxes, columns] or [1, columns, boxes]; or there is one for each grid, also
        [1, columns, rows, columns of the grid], [1, rows, columns of the grid, columns] or with an axis of its own for
        the boxes of a place, behind the first axis and before the grid.

        Raises:
            SampleError: Outputs have other shapes; `expected` says which columns there are.
        """
        arrays = [values[name] for name in names]
        if len(names) not in (1, len(self.sizes)):
            raise misfit(values, names, f"one output, or one for each of {len(self.sizes)} strides")
        if len(names) == 1 and arrays[0].ndim == 3:
            found = [_flat(arrays[0], sum(self.counts))]
        elif len(names) == len(self.sizes):
            found = list(map(_of_grid, arrays, self.sizes, self.per_place))
        else:
            found = [None]
        rows = [one for one in found if one is not None]
        if len(rows) != len(found) or len({one.shape[1] for one in rows}) != 1:
            each = zip(self.sizes, self.per_place, strict=True)
            grids = ", ".join(
                f"{rows} x {columns}" + (f" x {boxes}" if boxes > 1 else "") for (rows, columns), boxes in each
            )
            raise misfit(values, names, f"{expected} of {sum(self.counts)} boxes (grids of {grids})")
        return np.concatenate(rows).astype(np.float32, copy=False)


def _of_grid(array: Any, size: tuple[int, int], per_place: int) -> Any:
    """Rows of the boxes of a grid; None where the array is of another shape."""
    if array.ndim == 3:
        return _flat(array, size[0] * size[1] * per_place)
    if array.ndim not in (4, 5) or len(array) != 1:
        return None
    array = array[0]
    if array.ndim == 4:
        if array.shape[0] != per_place or array.shape[1:3] != size:
            return None
        return array.transpose(1, 2, 0, 3).reshape(-1, array.shape[-1])
    if array.shape[1:] == size:
        array = array.transpose(1, 2, 0)
    elif array.shape[:2] != size:
        return None
    return None if array.shape[2] % per_place else array.reshape(-1, array.shape[2] // per_place)


def _flat(array: Any, boxes: int) -> Any:
    if len(array) != 1 or boxes not in array.shape[1:]:
        return None
    return array[0] if array.shape[1] == boxes else array[0].T


def grids_over(
    values: NamedValues,
    *,
    image: str,
    strides: Sequence[float],
    sizes: Sequence[Sequence[int]] = (),
    per_place: Sequence[int] = (),
) -> Grids:
    """The grids over the picture of a sample.

    Args:
        values: Those of the sample.
        image: Name of the graph's input, [1, channels, height, width] or [1, height, width, channels].
        strides: Pixels between two places, one for each grid; empty where `sizes` say it.
        sizes: Rows and columns, where they are not those that the stride gives, rounded up.
        per_place: See `Grids`; by default one.
    """
    height, width = picture_size(values[image])
    if not sizes:
        sizes = [(int(-(-height // stride)), int(-(-width // stride))) for stride in strides]
    given = tuple((int(rows), int(columns)) for rows, columns in sizes)
    steps = tuple((stride, stride) for stride in strides) or tuple((height / r, width / c) for r, c in given)
    return Grids(given, steps, tuple(per_place) or (1,) * len(given))


def picture_size(image: Any) -> tuple[int, int]:
    """Height and width of a graph's input, [1, channels, height, width] or [1, height, width, channels]."""
    shape = image.shape
    height, width = shape[1:3] if shape[1] not in _CHANNELS and shape[3] in _CHANNELS else shape[2:]
    return height, width
