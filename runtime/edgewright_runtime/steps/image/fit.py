"""Images to the size that a detector takes, their proportions kept, with a note of where every pixel went.

The note is the value `placement`: (scale_x, scale_y, left, top), such that the point (x, y) of the picture as it was
decoded is at (x * scale_x + left, y * scale_y + top). Steps that find boxes go back by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from edgewright_runtime.steps.image.pixels import check_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from edgewright_runtime.steps.values import NamedValues


Placement = tuple[float, float, float, float]
AS_IT_IS: Placement = (1.0, 1.0, 0.0, 0.0)
_ROUNDINGS: dict[str, Callable[[float], int]] = {
    "down": int,
    "nearest": round,
    "half_up": lambda size: int(size + 0.5),
}


class FitImage:
    """To a size of the same proportions.

    Args:
        filter: Name of a filter of Pillow; or `linear`, which reads four pixels for each new one however far it
            shrinks: what OpenCV and torch call bilinear.
        height: With `width`, the largest size that fits into these.
        width: See `height`.
        shortest_edge: Instead: what the shorter edge is to have ...
        longest_edge: ... unless the longer one then has more than this.
        multiple_of: Both edges are cut down to a multiple of it, which bends the proportions a little.
        rounding: What becomes of parts of a pixel with `height` and `width`: cut off (`down`), or `nearest`, where half
            a pixel is rounded to the even number, or up (`half_up`).
    """

    def __init__(
        self,
        *,
        filter: str,  # noqa: A002 - the option's name in packages
        height: int | None = None,
        width: int | None = None,
        shortest_edge: int | None = None,
        longest_edge: int | None = None,
        multiple_of: int = 1,
        rounding: Literal["down", "nearest", "half_up"] = "down",
    ) -> None:
        from PIL.Image import Resampling

        self._filter = None if filter == "linear" else Resampling[filter.upper()]
        inside, edges = (height, width), (shortest_edge, longest_edge)
        if (None in inside) == (None in edges) or (None in inside) != (inside == (None, None)):
            raise ValueError("a size is height and width, or shortest_edge and longest_edge")
        if (None in edges) != (edges == (None, None)) or rounding not in _ROUNDINGS:
            raise ValueError("a size is height and width, or shortest_edge and longest_edge")
        if min(size for size in (*inside, *edges, multiple_of) if size is not None) < 1:
            raise ValueError("a size is not positive")
        self._inside = None if height is None or width is None else (height, width)
        self._edges = (shortest_edge or 0, longest_edge or 0)
        self._multiple = multiple_of
        self._round = _ROUNDINGS[rounding]

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Replace `image`, and add its `placement`."""
        image: Image = values["image"]
        height, width = (
            max(self._multiple, size - size % self._multiple) for size in self._size(image.height, image.width)
        )
        check_pixels(width, height)
        placement: Placement = (width / image.width, height / image.height, 0.0, 0.0)
        if (width, height) == image.size:
            return {"image": image, "placement": placement}
        return {"image": self._resized(image, width, height), "placement": placement}

    def _size(self, height: int, width: int) -> tuple[int, int]:
        if self._inside is not None:
            ratio = min(self._inside[0] / height, self._inside[1] / width)
            return max(1, self._round(height * ratio)), max(1, self._round(width * ratio))
        # As transformers does it, parts of a pixel included: what is limited by its longer edge is not rounded twice.
        (short, long), (shortest, longest) = sorted((height, width)), self._edges
        exact: float = shortest
        if long / short * shortest > longest:
            exact = longest * short / long
            shortest = round(exact)
        if short == shortest:
            return height, width
        longer = int(exact * long / short)
        return (longer, shortest) if width < height else (shortest, longer)

    def _resized(self, image: Image, width: int, height: int) -> Image:
        from PIL import Image as Library

        if self._filter is not None:
            return image.resize((width, height), self._filter)
        pixels = np.asarray(image)
        rows, columns = _between(image.height, height), _between(image.width, width)
        found = pixels[rows.first].astype(np.float32)
        found += (pixels[rows.second] - found) * rows.share.reshape(-1, *[1] * (pixels.ndim - 1))
        left = found[:, columns.first]
        left += (found[:, columns.second] - left) * columns.share.reshape(-1, *[1] * (pixels.ndim - 2))
        return Library.fromarray((left + np.float32(0.5)).astype(np.uint8))


@dataclass(frozen=True)
class _Between:
    """For each new pixel of an edge, the two old ones that it lies between, and how far it is from the first."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    share: NDArray[np.float32]


def _between(old: int, new: int) -> _Between:
    places = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    first = places.astype(np.int64)
    return _Between(first, np.minimum(first + 1, old - 1), (places - first).astype(np.float32))


class PadImage:
    """Larger, with one colour around the image.

    Args:
        height: With `width`, the size to have; a larger image is cut.
        width: See `height`.
        multiple_of: Instead: to the next multiple of it.
        colour: Of what is added, 0 to 255, in all channels.
        centre: Add on all sides; otherwise below and on the right.
    """

    def __init__(
        self,
        *,
        height: int | None = None,
        width: int | None = None,
        multiple_of: int | None = None,
        colour: int = 0,
        centre: bool = False,
    ) -> None:
        if (height is None) != (width is None) or (height is None) == (multiple_of is None):
            raise ValueError("a size is height and width, or multiple_of")
        if min(size for size in (height, width, multiple_of) if size is not None) < 1 or not 0 <= colour <= 255:
            raise ValueError("a size is not positive, or the colour is not from 0 to 255")
        self._size = None if height is None or width is None else (width, height)
        self._multiple = multiple_of or 1
        self._colour = colour
        self._centre = centre

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Replace `image` and its `placement`."""
        from PIL import Image as Library

        image: Image = values["image"]
        width, height = self._size or (-(-size // self._multiple) * self._multiple for size in image.size)
        # An odd pixel goes below and to the right.
        left, top = ((width - image.width) // 2, (height - image.height) // 2) if self._centre else (0, 0)
        scale_x, scale_y, before_left, before_top = values.get("placement", AS_IT_IS)
        placement = (scale_x, scale_y, before_left + left, before_top + top)
        if (width, height) == image.size:
            return {"image": image, "placement": placement}
        made = Library.new(image.mode, (width, height), (self._colour,) * len(image.getbands()))
        made.paste(image, (left, top))
        return {"image": made, "placement": placement}
