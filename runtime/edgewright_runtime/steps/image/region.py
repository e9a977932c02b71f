"""One thing in a picture as an image of its own: what models take that look at a box and not at the whole picture."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from edgewright_runtime.steps.values import NamedValues

Box = tuple[float, float, float, float]
# transformers divides lengths by it and multiplies them again, in float32: a package is to be fed the same pixels.
_UNIT = 200.0
# The sides of a box in the answer of a detector.
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_SHOWN = 60
# Pixels of an edge: the arithmetic of float32 is sound between, and no thing of a picture is smaller or larger.
_LEAST, _MOST = 1e-6, 1e9


@dataclass(frozen=True)
class Region:
    """The part of a picture that an image of one thing shows.

    Attributes:
        box: Left, top, width and height in pixels of the picture, as the call names it.
        centre: Its middle, x and y; float32, shape (2,).
        size: Width and height of what is shown: the box with a border, in the proportions of the image; as `centre`.
    """

    box: Box
    centre: NDArray[np.float32]
    size: NDArray[np.float32]


def box_of(given: Any, image_size: tuple[int, int]) -> Box:
    """Left, top, width and height of the box that a call names, in pixels; the whole picture where it names none.

    Args:
        given: Four numbers [x, y, width, height]; or a box as detectors answer it, with `xmin`, `ymin`, `xmax`, `ymax`,
            alone or under `box`; or None.
        image_size: Height and width of the picture.

    Raises:
        SampleError: This is not a box, it has no area, or it lies outside of the picture.
    """
    height, width = image_size
    if given is None:
        return 0.0, 0.0, float(width), float(height)
    sides = given.get("box", given) if isinstance(given, Mapping) else given
    found: list[Any] = list(sides) if isinstance(sides, (list, tuple, np.ndarray)) else []
    if isinstance(sides, Mapping):
        found = [sides.get(side) for side in _SIDES]
    if len(found) != 4 or not all(map(_is_number, found)):
        raise SampleError(f"A box must be four numbers, [x, y, width, height]; found {str(given)[:_SHOWN]}.")
    left, top, across, down = map(float, found)
    if isinstance(sides, Mapping):
        across, down = across - left, down - top
    if across <= 0 or down <= 0:
        raise SampleError(
            f"A box has the width {across:g} and the height {down:g}; both must be above 0.",
            hint="Boxes are [x, y, width, height]. These may be two corners.",
        )
    if min(across, down) < _LEAST or max(across, down) > _MOST:
        raise SampleError(
            f"A box has the width {across:g} and the height {down:g}; both must be from {_LEAST:g} to {_MOST:g}."
        )
    if left >= width or top >= height or left + across <= 0 or top + down <= 0:
        raise SampleError(
            f"The box [{left:g}, {top:g}, {across:g}, {down:g}] is not inside its picture, which is {width} x {height}."
        )
    return left, top, across, down


def _is_number(value: Any) -> bool:
    kinds = (int, float, np.integer, np.floating)
    if not isinstance(value, kinds) or isinstance(value, bool):
        return False
    size: Any = abs(value)
    # A whole number may be larger than any float.
    return bool(size <= sys.float_info.max)


class CropBox:
    """A box of a picture to an image of a fixed size, with a border that keeps its proportions; black outside.

    This is the affine transformation of ViTPose's processor in transformers, in the same arithmetic: "unbiased data
    processing" of J. Huang et al., 2020, without a rotation. Pixels are bilinear, and rounded.

    Args:
        height: Of the image.
        width: Of the image.
        padding: How much larger than the box that is which the image shows.
    """

    def __init__(self, *, height: int, width: int, padding: float = 1.25) -> None:
        if height < 2 or width < 2 or not 0 < padding < math.inf:
            raise ValueError("a size is below 2, or the padding is not positive")
        self._height, self._width = height, width
        self._padding = padding

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Replace `image`, and add its `region`.

        Raises:
            SampleError: The value `box` is not a box in the picture.
        """
        from PIL import Image as Library

        image: Image = values["image"]
        region = self._region(box_of(values.get("box"), (image.height, image.width)))
        pixels = np.asarray(image)
        rows, columns = self._places(region)
        made = _bilinear(pixels if pixels.ndim == 3 else pixels[..., None], rows, columns)
        return {"image": Library.fromarray(made if pixels.ndim == 3 else made[..., 0]), "region": region}

    def _region(self, box: Box) -> Region:
        left, top, width, height = box
        ratio = self._width / self._height
        centre = np.array([left + width * 0.5, top + height * 0.5], np.float32)
        if width > ratio * height:
            height = width / ratio
        elif width < ratio * height:
            width = height * ratio
        scale = np.array([width / _UNIT, height / _UNIT], np.float32) * np.float32(self._padding)
        return Region(box, centre, scale * np.float32(_UNIT))

    def _places(self, region: Region) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The row of the picture for each row of the image, and the column for each column."""
        half = np.float32(0.5)
        scale = np.array([self._width - 1.0, self._height - 1.0]) / region.size
        matrix = np.eye(3)
        matrix[[0, 1], [0, 1]] = scale.astype(np.float32)
        matrix[:2, 2] = (scale * (-half * (region.centre * np.float32(2)) + half * region.size)).astype(np.float32)
        back = np.linalg.inv(matrix)
        rows = np.arange(self._height) * back[1, 1] + back[1, 2]
        return rows, np.arange(self._width) * back[0, 0] + back[0, 2]


def _bilinear(pixels: Any, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Pixels between pixels, [rows, columns, channels]; 0 where a place is beyond the middle of the last pixel."""
    height, width = pixels.shape[:2]
    inside = ((rows >= 0) & (rows <= height - 1))[:, None] & ((columns >= 0) & (columns <= width - 1))
    found = np.zeros((len(rows), len(columns), pixels.shape[2]))
    for row, down in _both(rows, height):
        for column, across in _both(columns, width):
            found += pixels[row[:, None], column] * down[:, None, None] * across[:, None]
    found *= inside[..., None]
    return (found + 0.5).astype(np.uint8)


def _both(places: NDArray[np.float64], edge: int) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """The pixels before and behind each place, and what they count."""
    first = np.floor(places)
    share = places - first
    before = first.astype(np.int64)
    return [(np.clip(before, 0, edge - 1), 1 - share), (np.clip(before + 1, 0, edge - 1), share)]
