"""A box of a picture as a picture of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.image.pixels import DecodeImage

if TYPE_CHECKING:
    from PIL.Image import Image

    from edgewright_runtime.steps.values import NamedValues


class Crop:
    """The part of a picture inside a box, cut at the picture's edges; upright, as detectors see it.

    Args:
        margin: What is added on each side, as a share of the box's shorter side.
    """

    def __init__(self, *, margin: float = 0.0) -> None:
        if not 0 <= margin <= 10:
            raise ValueError(f"margin is {margin}; it is a share between 0 and 10")
        self._margin = margin
        self._decode = DecodeImage()

    def __call__(self, values: NamedValues) -> Image:
        """The picture.

        Raises:
            SampleError: The box has no pixel inside the picture.
        """
        image = cast("Image", self._decode({"image": values["image"]})["image"])
        box = values["box"]["box"]
        more = self._margin * min(box["xmax"] - box["xmin"], box["ymax"] - box["ymin"])
        left, top = max(0, round(box["xmin"] - more)), max(0, round(box["ymin"] - more))
        right, bottom = min(image.width, round(box["xmax"] + more)), min(image.height, round(box["ymax"] + more))
        if left >= right or top >= bottom:
            raise SampleError("A box has no pixel inside the picture.")
        return image.crop((left, top, right, bottom))
