"""Points and a box in a picture, by which a person says which thing is meant, to arrays of a graph."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.image.fit import AS_IT_IS
from edgewright_runtime.steps.image.region import box_of

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

# What a point is to SAM: filling, not of the thing, of the thing, and the two corners of a box.
_FILLING, _CORNERS = -1, (2, 3)
_MEANINGS = (0, 1)
# More than anybody places by hand.
_MOST_POINTS = 10_000
_SHOWN = 60


class PromptPoints:
    """The values `points` and `box` to one list of points in pixels of the graph's input, each with what it is.

    The list is that of SAM's own export: points, then the two corners of the box, or one point of filling where there
    is no box.

    Args:
        points: Name of the array of points, float32, [1, 1, points, 2].
        labels: Name of the array of what they are, int64, [1, 1, points].
        boxes: The graph takes corners of a box; otherwise points alone, and adds the filling itself.
    """

    def __init__(self, *, points: str, labels: str, boxes: bool = True) -> None:
        self._points, self._labels = points, labels
        self._boxes = boxes

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the two arrays.

        Raises:
            SampleError: There is neither a point nor a box, one of them is not in the picture, or is a box and the
                graph takes none.
        """
        height, width = values["image_size"]
        given, box = values.get("points"), values.get("box")
        if box is not None and not self._boxes:
            raise SampleError(
                "This model takes points alone, and the sample has a box.",
                hint="Build the checkpoint itself: its package takes boxes as well.",
            )
        if given is None and box is None:
            other = ' or "box": [x, y, width, height]' if self._boxes else ""
            raise SampleError(
                "The model needs to be told which thing is meant, and the sample has neither points nor a box.",
                hint=f'Pass {{"image": ..., "points": [[x, y]]}}{other}.',
            )
        rows = [] if given is None else _rows(given, width, height)
        if box is not None:
            left, top, across, down = box_of(box, (height, width))
            corners = ((left, top), (left + across, top + down))
            rows += [(x, y, kind) for (x, y), kind in zip(corners, _CORNERS, strict=True)]
        scale = values.get("placement", AS_IT_IS)[:2]
        places = np.array([row[:2] for row in rows], np.float64).reshape(-1, 2) * np.array(scale)
        kinds = [row[2] for row in rows]
        if self._boxes and box is None:
            places, kinds = np.concatenate([places, np.zeros((1, 2))]), [*kinds, _FILLING]
        return {
            self._points: places.astype(np.float32)[None, None],
            self._labels: np.array(kinds, np.int64)[None, None],
        }


def _rows(given: Any, width: int, height: int) -> list[tuple[float, float, int]]:
    """Each point as x, y and whether it is of the thing."""
    points = given.tolist() if isinstance(given, np.ndarray) else given
    if not isinstance(points, (list, tuple)) or not 0 < len(points) <= _MOST_POINTS:
        raise SampleError(f"The points must be a list of [x, y]; found {str(given)[:_SHOWN]}.")
    found = []
    for one in points:
        point = one.tolist() if isinstance(one, np.ndarray) else one
        numbers = list(point) if isinstance(point, (list, tuple)) else []
        plain = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in numbers)
        # A whole number may be larger than any float.
        plain = plain and all(abs(value) <= sys.float_info.max for value in numbers)
        if not plain or len(numbers) not in (2, 3):
            raise SampleError(
                f"A point must be [x, y], or [x, y, 1] for what is meant and [x, y, 0] for what is not; found "
                f"{str(point)[:_SHOWN]}."
            )
        x, y, kind = (*numbers, 1)[:3]
        if kind not in _MEANINGS:
            raise SampleError(f"The third number of a point is 1 (meant) or 0 (not meant); found {kind:g}.")
        if not (0 <= x <= width and 0 <= y <= height):
            raise SampleError(f"The point [{x:g}, {y:g}] is not in its picture, which is {width} x {height}.")
        found.append((float(x), float(y), int(kind)))
    return found
