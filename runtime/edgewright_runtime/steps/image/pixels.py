"""Images to a graph's input, with Pillow and numpy: decode, resize, crop, normalise.

Between the steps an image stays a Pillow image; the last step makes the array.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_targets.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL.Image import Image

    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays


# What cameras, browsers and data sets hold. Not all that Pillow knows: some of its formats start other programs.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# Pixels that a picture may be resized to: 400 MB of RGB. What Pillow reads at most has about as many.
_MOST_PIXELS = 2**27
# Modes of more than 8 bits a channel: Pillow would clip them, which makes most of such pictures white.
_DEEP_MODES = ("F", "I", "I;16", "I;16B", "I;16L", "I;16N")


class DecodeImage:
    """A file (path or bytes), an array or a Pillow image to an upright image of one mode.

    The EXIF orientation is applied, transparency is dropped, of an animation the first picture is taken: as
    transformers opens images. Arrays are uint8 of the shape [height, width], or [height, width, 3] in RGB order.

    Args:
        mode: `RGB`, or `L` for one channel of grey.
    """

    def __init__(self, *, mode: Literal["RGB", "L"] = "RGB") -> None:
        try:
            from PIL import Image, ImageOps, UnidentifiedImageError
        except ImportError as error:
            raise MissingDependencyError(
                "This package takes images, but the library 'Pillow' is not installed.",
                hint="Install it with: pip install pillow",
            ) from error
        if mode not in ("RGB", "L"):
            raise ValueError(f"mode is {mode!r}")
        self._library = Image
        self._unknown = UnidentifiedImageError
        self._upright = ImageOps.exif_transpose
        self._mode = mode

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Replace `image` by the decoded image, and add its `image_size` as (height, width).

        Raises:
            SampleError: This is not an image, it is cut off, or of a kind that is not supported.
        """
        image = self._opened(values["image"])
        return {"image": image, "image_size": (image.height, image.width)}

    def _opened(self, given: Any) -> Image:
        if isinstance(given, np.ndarray):
            return self._converted(self._from_array(given), "The array")
        if isinstance(given, self._library.Image):
            return self._converted(given.copy(), "The image")
        if not isinstance(given, (str, Path, bytes)):
            raise SampleError(f"The model takes an image: a path, bytes or an array; found {type(given).__name__}.")
        name = "The image" if isinstance(given, bytes) else f"'{given}'"
        try:
            with self._library.open(io.BytesIO(given) if isinstance(given, bytes) else given, formats=_FORMATS) as file:
                return self._converted(file, name)
        except SampleError:
            raise
        except FileNotFoundError as error:
            raise SampleError(f"There is no image {name}.") from error
        except self._unknown as error:
            raise SampleError(f"{name} is not an image, or not of a supported kind ({', '.join(_FORMATS)}).") from error
        except self._library.DecompressionBombError as error:
            raise SampleError(f"{name} is too large: {error}") from error
        except Exception as error:
            # A damaged file makes Pillow's readers raise anything: OSError, SyntaxError, struct.error, IndexError, ...
            raise SampleError(f"{name} cannot be read; it may be cut off: {error}") from error

    def _from_array(self, array: np.ndarray[Any, Any]) -> Image:
        grey = array.ndim == 2
        if array.dtype != np.uint8 or not (grey or (array.ndim == 3 and array.shape[2] == 3)) or not array.size:
            raise SampleError(
                f"An image array must be uint8 of the shape [height, width] or [height, width, 3]; found "
                f"{array.dtype} {list(array.shape)}."
            )
        return self._library.fromarray(array)

    def _converted(self, image: Image, name: str) -> Image:
        if image.mode in _DEEP_MODES:
            raise SampleError(
                f"{name} has more than 8 bits per channel (mode {image.mode}).",
                hint="Its values of black and white are unknown. Save it with 8 bits per channel.",
            )
        if not (image.width and image.height):
            raise SampleError(f"{name} has no pixels.")
        self._upright(image, in_place=True)
        # convert gives a copy that no longer needs the file; load does the same where there is nothing to convert.
        if image.mode == "P" and "transparency" in image.info:
            # By way of RGBA: straight to RGB gives the same pixels, and a warning of Pillow's.
            return image.convert("RGBA").convert(self._mode)
        if image.mode != self._mode:
            return image.convert(self._mode)
        image.load()
        return image


def check_pixels(width: int, height: int) -> None:
    """Refuse a size that only a picture of extreme proportions comes to.

    Raises:
        SampleError: It has too many pixels.
    """
    if width * height > _MOST_PIXELS:
        raise SampleError(
            f"The image would have {width} x {height} pixels for the model, which is too many: it is too long or too "
            "wide."
        )


class ResizeImage:
    """To another size, with Pillow's filters.

    Args:
        filter: Name of a filter of Pillow, such as `bilinear`.
        height: Height to have; with `width`, the proportions are not kept.
        width: Width to have.
        shortest_edge: Instead: what the shorter edge is to have, the proportions kept.
    """

    def __init__(
        self,
        *,
        filter: str,  # noqa: A002 - the option's name in packages
        height: int | None = None,
        width: int | None = None,
        shortest_edge: int | None = None,
    ) -> None:
        from PIL.Image import Resampling

        self._filter = Resampling[filter.upper()]
        if (shortest_edge is None) == (height is None) or (height is None) != (width is None):
            raise ValueError("a size is height and width, or shortest_edge")
        if min(edge for edge in (height, width, shortest_edge) if edge is not None) < 1:
            raise ValueError("a size is not positive")
        self._fixed = None if height is None or width is None else (width, height)
        self._shortest = shortest_edge or 0

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Replace `image`, and add its `placement` (see `image_fit`)."""
        image: Image = values["image"]
        width, height = self._fixed or self._size(image)
        check_pixels(width, height)
        placement = (width / image.width, height / image.height, 0.0, 0.0)
        return {"image": image.resize((width, height), self._filter), "placement": placement}

    def _size(self, image: Image) -> tuple[int, int]:
        # The longer edge is cut to a whole number, not rounded: what transformers and torchvision do.
        if image.width <= image.height:
            return self._shortest, int(self._shortest * image.height / image.width)
        return int(self._shortest * image.width / image.height), self._shortest


class CropImage:
    """The centre of an image; what lies outside of it is black.

    Args:
        height: Height to have.
        width: Width to have.
    """

    def __init__(self, *, height: int, width: int) -> None:
        if height < 1 or width < 1:
            raise ValueError("a size is not positive")
        self._height = height
        self._width = width

    def __call__(self, values: NamedValues) -> dict[str, Image]:
        """Replace `image`."""
        image: Image = values["image"]
        left = (image.width - self._width) // 2
        top = (image.height - self._height) // 2
        return {"image": image.crop((left, top, left + self._width, top + self._height))}


class NormalizeImage:
    """Pixels to a float32 array of shape [1, channels, height, width].

    Each channel has 256 values, so that a table holds what becomes of each: what the source computes, rounded as there.

    Args:
        output: Name of the array: the graph's input.
        channels: Their number.
        scale: What pixels are multiplied with, or None.
        shift: What is then subtracted.
        normalize: Pairs of mean and deviation, one each a channel; applied in turn.
        order: `RGB`, or `BGR` for graphs that were trained on it.
    """

    def __init__(
        self,
        *,
        output: str,
        channels: int = 3,
        scale: float | None = None,
        shift: float = 0.0,
        normalize: Sequence[Mapping[str, Sequence[float]]] = (),
        order: Literal["RGB", "BGR"] = "RGB",
    ) -> None:
        self._output = output
        self._order = range(channels)[:: -1 if order == "BGR" else 1]
        pixels = np.arange(256, dtype=np.float32)
        if scale is not None:
            # In float64 and then rounded: transformers does so, and a package is to be fed the same numbers.
            pixels = (pixels.astype(np.float64) * scale).astype(np.float32)
        if shift:
            pixels = (pixels - np.float32(shift)).astype(np.float32)
        tables = []
        for channel in range(channels):
            table = pixels
            for entry in normalize:
                mean, deviation = np.float32(entry["mean"][channel]), np.float32(entry["std"][channel])
                table = (table - mean) / deviation
            tables.append(table)
        if not np.isfinite(tables).all():
            raise ValueError("the pixels would not be finite")
        self._tables = tables

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the array."""
        image: Image = values["image"]
        made = np.empty((1, len(self._tables), image.height, image.width), dtype=np.float32)
        # Channel by channel, because numpy takes from bytes that lie side by side four times as fast.
        planes = image.split()
        for place, channel in enumerate(self._order):
            # Bytes are always inside a table of 256; any other mode than clip would go through a buffer.
            np.take(self._tables[place], np.asarray(planes[channel]), out=made[0, place], mode="clip")
        return {self._output: made}
