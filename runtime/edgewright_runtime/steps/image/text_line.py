"""The picture of one line of text to a graph's input, and its scores to the text; as PaddleOCR does it."""

from __future__ import annotations

import json
import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import PackageError, SampleError
from edgewright_runtime.package_files import VOCABULARY_LIMIT_BYTES, FileTooLargeError, read_limited

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

# Far more than a line of text has; a picture of a pixel's height would become as many pixels as memory holds.
_LONGEST_LINE = 400
# OpenCV's: a weight has 11 bits; of a row's sum 4 are dropped, then 16 of what the rows' weights make of it.
_WHOLE = np.float32(2048)
_ROW_BITS, _SUM_BITS = 4, 16


class FitLine:
    """A picture in RGB to one height, the proportions kept.

    Args:
        height: Height to have.
        width: What lines are padded to at least (see `PadLine`); shorter ones have parts of a pixel rounded up, longer
            ones cut off.
        longest: Longer lines are squeezed to this width; none are by default.
    """

    def __init__(
        self,
        *,
        height: int,
        width: int,
        longest: int | None = None,
    ) -> None:
        if min(height, width) < 1 or (longest is not None and longest < width):
            raise ValueError("a size is not positive, or the longest width below the least")
        self._height = height
        self._width = width
        self._longest = longest

    def __call__(self, values: NamedValues) -> dict[str, Image]:
        """Replace `image`.

        Raises:
            SampleError: It is so wide that it is not a line of text.
        """
        image: Image = values["image"]
        ratio = image.width / image.height
        if ratio > _LONGEST_LINE:
            raise SampleError(
                f"The picture is {image.width} x {image.height}; a line of text may be at most {_LONGEST_LINE} times "
                "as wide as high."
            )
        # In the order of the source: its rounding depends on it.
        room = int(self._height * max(self._width / self._height, ratio))
        width = min(room, math.ceil(self._height * ratio), self._longest or room)
        return {"image": _resized(image, width, self._height)}


def _resized(image: Image, width: int, height: int) -> Image:
    """OpenCV's bilinear in whole numbers, which cuts off what the step `fit_image` rounds; within one level of it."""
    from PIL import Image as Library

    pixels = np.asarray(image)
    top, bottom, above, below = _between(image.height, height)
    left, right, before, after = _between(image.width, width)
    above, below = above[:, None, None], below[:, None, None]
    before, after = before[:, None], after[:, None]
    upper, lower = (
        (pixels[rows][:, left] * before + pixels[rows][:, right] * after) >> _ROW_BITS for rows in (top, bottom)
    )
    made = ((above * upper >> _SUM_BITS) + (below * lower >> _SUM_BITS) + 2) >> 2
    return Library.fromarray(made.astype(np.uint8))


def _between(old: int, new: int) -> tuple[NDArray[Any], ...]:
    """For each new pixel of an edge the two old ones that it lies between, and their weights in parts of 2048."""
    places = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1).astype(np.float32)
    first = places.astype(np.int64)
    share = places - first.astype(np.float32)
    weights = (np.rint(part * _WHOLE).astype(np.int32) for part in (1 - share, share))
    return first, np.minimum(first + 1, old - 1), *weights


class PadLine:
    """Zeros to the right of an array, up to a width: grey, where pixels were brought to -1 to 1.

    Args:
        array: Name of the array, of the shape [1, channels, height, width].
        width: Width to have at least.
    """

    def __init__(self, *, array: str, width: int) -> None:
        if width < 1:
            raise ValueError("a size is not positive")
        self._array = array
        self._width = width

    def __call__(self, values: NamedValues) -> Arrays:
        """Replace the array where it is narrower."""
        array = values[self._array]
        missing = self._width - array.shape[-1]
        return {self._array: np.pad(array, ((0, 0), (0, 0), (0, 0), (0, missing)))} if missing > 0 else {}


class SpellLine:
    """Scores of shape [1, places, characters] to a text: the likeliest of each place, repeats joined, blanks dropped.

    Args:
        package: Holds the characters.
        scores: Name of the graph's output.
        characters: URI of a JSON file, a list of texts by their place among the scores; the first is the blank.
        output: Name of the text.
    """

    def __init__(self, package: Package, *, scores: str, characters: str, output: str = "text") -> None:
        path = package.asset(characters)
        try:
            found = json.loads(read_limited(path, VOCABULARY_LIMIT_BYTES))
        except (OSError, ValueError, RecursionError, FileTooLargeError) as error:
            raise PackageError(f"'{package.root}': the characters cannot be read: {error}.") from error
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise PackageError(f"'{package.root}': the characters are not a list of texts.")
        self._characters = found
        self._scores = scores
        self._output = output

    def __call__(self, values: NamedValues) -> dict[str, str]:
        """Add the text; it is empty where a score is not finite."""
        scores = values[self._scores][0]
        if scores.shape[-1] != len(self._characters):
            raise LookupError(f"{scores.shape[-1]} scores for {len(self._characters)} characters")
        if not np.isfinite(scores).all():
            return {self._output: ""}
        # Unlike the tokens of speech, repeats are joined by their number: two characters may look the same.
        path = [place for place, _ in groupby(scores.argmax(axis=-1).tolist())]
        return {self._output: "".join(self._characters[place] for place in path if place)}
