"""Boxes of graphs that choose them by themselves: Faster R-CNN, and files with suppression inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.steps.boxes.candidates import Candidates, in_picture, misfit
from edgewright_runtime.steps.boxes.places import picture_size

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues

_EXPECTED = (
    "boxes [boxes, 4] with scores [boxes] and classes [boxes], boxes [boxes, 5] with a score in each and classes "
    "[boxes], or boxes [boxes, 6] with a score and a class in each; before them an axis of one sample may stand"
)


class TakeBoxes:
    """Faster R-CNN and its kin: the graph itself gives the boxes that it found, however many.

    Args:
        boxes: Name of the output of shape [boxes, 4]: the sides of boxes, in pixels of the graph's input. It may have a
            score as the fifth column, and a class as the sixth.
        scores: Name of the output of shape [boxes], where boxes have none.
        classes: Name of the output of shape [boxes], whole numbers, where boxes have none.
        first_class: The number of the first label: 1 where 0 is the background.
        sides: Left, top, right, bottom (`xyxy`), or top, left, bottom, right (`yxyx`), as TensorFlow has them.
        image: Name of the graph's input, where sides are shares of it and not pixels.
    """

    def __init__(
        self,
        *,
        boxes: str,
        scores: str | None = None,
        classes: str | None = None,
        first_class: int = 0,
        sides: Literal["xyxy", "yxyx"] = "xyxy",
        image: str | None = None,
    ) -> None:
        self._boxes, self._scores, self._classes = boxes, scores, classes
        self._first_class = first_class
        self._order = [1, 0, 3, 2] if sides == "yxyx" else [0, 1, 2, 3]
        self._image = image

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`.

        Raises:
            SampleError: The outputs are of other shapes.
        """
        rows = values[self._boxes]
        columns = 4 + (self._scores is None) + (self._classes is None)
        if rows.ndim == 3 and len(rows) == 1:
            rows = rows[0]
        if rows.ndim != 2 or rows.shape[1] != columns:
            raise self._misfit(values)
        scores = self._column(values, self._scores, rows, 4)
        classes = self._column(values, self._classes, rows, columns - 1)
        corners = rows[:, self._order].astype(np.float32, copy=False)
        if self._image is not None:
            height, width = picture_size(values[self._image])
            corners = corners * np.array([width, height, width, height], dtype=np.float32)
        # What is not a number has no class; its score is not shown either.
        classes = np.nan_to_num(classes).astype(np.int64) - self._first_class
        found = Candidates(in_picture(corners, values), scores.astype(np.float32, copy=False), classes)
        return {"candidates": found}

    def _column(self, values: NamedValues, name: str | None, rows: Any, column: int) -> Any:
        found = rows[:, column] if name is None else values[name].reshape(-1)
        if len(found) != len(rows):
            raise self._misfit(values)
        return found

    def _misfit(self, values: NamedValues) -> Exception:
        names = [name for name in (self._boxes, self._scores, self._classes) if name is not None]
        return misfit(values, names, _EXPECTED)
