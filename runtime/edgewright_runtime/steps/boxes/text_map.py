"""Lines of text out of a map of probabilities: DB (M. Liao et al., 2020) as PaddleOCR reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.steps.boxes.candidates import Candidates, in_picture, misfit
from edgewright_runtime.steps.boxes.places import picture_size
from edgewright_runtime.steps.boxes.regions import mean_inside, offset_polygon, regions_of, smallest_rectangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewright_runtime.steps.values import NamedValues

# PaddleOCR's: the shorter side of a region, of its enlarged rectangle, and of both in pixels of the picture.
_SHORTEST, _SHORTEST_ENLARGED, _SHORTEST_FOUND = 3, 5, 3


class DecodeTextMap:
    """A map of "here is text" to the rectangles of the lines, which may be turned.

    Args:
        output: Name of the output of shape [1, 1, rows, columns]: probabilities.
        image: Name of the graph's input; the map is as large as it, or smaller by a whole number.
        level: Pixels with a higher value are text.
        enlarge: How much larger a line is than its region, which was trained to be smaller ("unclip ratio").
        dilate: Regions grow by a pixel to the right and below before they are taken apart.
        most: At most so many regions are looked at.
    """

    def __init__(
        self,
        *,
        output: str,
        image: str,
        level: float = 0.3,
        enlarge: float = 1.5,
        dilate: bool = False,
        most: int = 1000,
    ) -> None:
        if not 0 <= level <= 1 or not 0 < enlarge < 100 or most < 1:
            raise ValueError("a level is a share of one, and 'enlarge' and 'most' are positive")
        self._output, self._image = output, image
        self._level, self._enlarge, self._dilate, self._most = np.float32(level), enlarge, dilate, most

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`, each with its four corners as points, the upper left first; their score is the map's mean.

        Raises:
            SampleError: The output is of another shape.
        """
        given = values[self._output]
        size = picture_size(values[self._image])
        if given.ndim == 3:
            given = given[:, None]
        if (
            given.ndim != 4
            or given.shape[:2] != (1, 1)
            or any(edge % part for edge, part in zip(size, given.shape[2:], strict=True))
        ):
            raise misfit(values, [self._output], f"a map [1, 1, {size[0]}, {size[1]}], or smaller by a whole number")
        array = given[0, 0].astype(np.float32, copy=False)
        shrunk = np.array([size[1] / array.shape[1], size[0] / array.shape[0]], dtype=np.float32)
        quads, scores = [], []
        for region in regions_of(self._mask(array))[: self._most]:
            found = self._line(array, region)
            if found is None:
                continue
            quad = self._in_picture(found[0] * shrunk, values)
            if quad is not None:
                quads.append(quad)
                scores.append(found[1])
        points = np.array(quads, dtype=np.float32).reshape(-1, 4, 2)
        corners = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
        classes = np.zeros(len(points), dtype=np.int64)
        return {"candidates": Candidates(corners, np.array(scores, dtype=np.float32), classes, points, 1)}

    def _mask(self, array: NDArray[np.float32]) -> NDArray[np.bool_]:
        mask = array > self._level
        if self._dilate:
            wide = mask | np.pad(mask, ((0, 0), (1, 0)))[:, :-1]
            mask = wide | np.pad(wide, ((1, 0), (0, 0)))[:-1]
        return mask

    def _line(self, array: NDArray[np.float32], region: NDArray[np.float32]) -> tuple[Any, float] | None:
        """The corners of a line in pixels of the map, and its score."""
        corners, shorter = smallest_rectangle(region)
        if shorter < _SHORTEST:
            return None
        score = mean_inside(array, corners)
        sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
        distance = sides[0] * sides[1] * self._enlarge / sides.sum()
        larger, shorter = smallest_rectangle(offset_polygon(corners, distance))
        return None if shorter < _SHORTEST_ENLARGED else (larger, score)

    def _in_picture(self, corners: NDArray[Any], values: NamedValues) -> NDArray[np.float32] | None:
        """Whole pixels of the picture, clockwise from the upper left; None where too little of the line is there."""
        height, width = values["image_size"]
        moved = np.round(in_picture(corners.reshape(1, 8).astype(np.float32), values)).reshape(4, 2)
        by_x = moved[np.argsort(moved[:, 0], kind="stable")]
        (upper_left, lower_left), (upper_right, lower_right) = (
            half[np.argsort(half[:, 1], kind="stable")] for half in (by_x[:2], by_x[2:])
        )
        quad = np.stack([upper_left, upper_right, lower_right, lower_left])
        quad = np.clip(quad, 0, [width - 1, height - 1]).astype(np.float32)
        edges = np.hypot(*(quad[[1, 3]] - quad[0]).T).astype(np.int64)
        return quad if edges.min() > _SHORTEST_FOUND else None
