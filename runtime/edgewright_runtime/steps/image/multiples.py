"""Images to a size whose edges are multiples of a number, as networks for pictures of any size take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewright_runtime.steps.image.pixels import check_pixels

if TYPE_CHECKING:
    from PIL.Image import Image

    from edgewright_runtime.steps.values import NamedValues


class ScaleImage:
    """To a size near a wanted one with edges that are multiples of a number, the proportions nearly kept.

    With `height` and `width` the picture is scaled by that of the two factors which changes it less, and edges go to
    the nearest multiple, as DPT's processor does it. Without them edges are cut down to a multiple, as GLPN's does it.

    Args:
        filter: Name of a filter of Pillow.
        multiple_of: Of what both edges are multiples.
        height: With `width`, the size to come near to; None keeps that of the picture.
        width: See `height`.
    """

    def __init__(
        self,
        *,
        filter: str,  # noqa: A002 - the option's name in packages
        multiple_of: int,
        height: int | None = None,
        width: int | None = None,
    ) -> None:
        from PIL.Image import Resampling

        self._filter = Resampling[filter.upper()]
        if (height is None) != (width is None):
            raise ValueError("a size is height and width, or neither")
        if min(size for size in (multiple_of, height, width) if size is not None) < 1:
            raise ValueError("a size is not positive")
        self._multiple = multiple_of
        self._wanted = None if height is None or width is None else (height, width)

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Replace `image`, and add its `placement` (see `image_fit`)."""
        image: Image = values["image"]
        height, width = (max(self._multiple, edge) for edge in self._size(image.height, image.width))
        check_pixels(width, height)
        placement = (width / image.width, height / image.height, 0.0, 0.0)
        return {"image": image.resize((width, height), self._filter), "placement": placement}

    def _size(self, height: int, width: int) -> tuple[int, int]:
        if self._wanted is None:
            return height // self._multiple * self._multiple, width // self._multiple * self._multiple
        down, across = self._wanted[0] / height, self._wanted[1] / width
        scale = across if abs(1 - across) < abs(1 - down) else down
        return self._nearest(scale * height), self._nearest(scale * width)

    def _nearest(self, edge: float) -> int:
        return round(edge / self._multiple) * self._multiple
