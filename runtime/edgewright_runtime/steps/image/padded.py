"""Arrays of pixels to the fixed size that a graph takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays


class PadArray:
    """Zeros below and to the right of an array of pixels: the mean colour, where pixels were normalized.

    Args:
        array: Name of the array, of the shape [1, channels, height, width].
        height: To have.
        width: To have.
    """

    def __init__(self, *, array: str, height: int, width: int) -> None:
        self._array = array
        self._size = (height, width)

    def __call__(self, values: NamedValues) -> Arrays:
        """Replace the array.

        Raises:
            SampleError: It is larger already.
        """
        pixels = values[self._array]
        more = [wanted - edge for wanted, edge in zip(self._size, pixels.shape[2:], strict=True)]
        if min(more) < 0:
            raise SampleError(
                f"The picture has {pixels.shape[2]} x {pixels.shape[3]} pixels for the model, which takes "
                f"{self._size[0]} x {self._size[1]} at most (height, width)."
            )
        return {self._array: np.pad(pixels, ((0, 0), (0, 0), (0, more[0]), (0, more[1])))}
