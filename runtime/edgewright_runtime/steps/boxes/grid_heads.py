"""From the raw outputs of YOLO and its kin to candidates: what a place of a grid says, and the box that it means.

The formulas are those of the makers' own code: YOLOX (Z. Ge et al., 2021; `decode_outputs` of its head), YOLOv5
(Ultralytics, `Detect`; YOLOv7 has the same), YOLOv3 (J. Redmon, A. Farhadi, 2018), and YOLOv8 (Ultralytics,
`dist2bbox` after the distribution focal loss of X. Li et al., 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from edgewright_runtime.probabilities import sigmoid, softmax
from edgewright_runtime.steps.boxes.candidates import Candidates, candidates_of, corners_of, in_picture, misfit
from edgewright_runtime.steps.boxes.places import Grids, grids_over
from edgewright_runtime.steps.boxes.suppression import asked_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewright_runtime.steps.values import NamedValues

# Places of a box's row before the scores of its classes: two of its centre, two of its size, and its objectness.
_CENTRE, _SIZE, _OBJECTNESS, _CLASSES = slice(0, 2), slice(2, 4), slice(4, 5), 5


class DecodeYolox:
    """YOLOX: a row of offset, logarithm of the size, objectness and class scores for each place of the grids.

    Args:
        outputs: Names of the graph's outputs: one with all places, or one for each stride.
        image: Name of the graph's input, whose size says how large the grids are.
        strides: Pixels between two places, one for each grid.
        logits: Objectness and class scores need a sigmoid; YOLOX's own exporter has it in the graph.
        multi_label: Each class of a place is a candidate; otherwise its best.
        threshold: Of `multi_label`: only with a higher score.
    """

    def __init__(
        self,
        *,
        outputs: Sequence[str],
        image: str,
        strides: Sequence[int] = (8, 16, 32),
        logits: bool = False,
        multi_label: bool = False,
        threshold: float = 0.0,
    ) -> None:
        self._outputs, self._image, self._strides = list(outputs), image, _checked(strides)
        self._logits = logits
        self._multi_label, self._threshold = multi_label, threshold

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`.

        Raises:
            SampleError: The outputs are of other shapes.
        """
        grids = grids_over(values, image=self._image, strides=self._strides)
        rows = _rows_with_classes(grids, values, self._outputs)
        strides = grids.of_each(grids.strides)[:, ::-1]
        # A graph of low precision may give sizes beyond any number.
        with np.errstate(over="ignore"):
            boxes = np.concatenate(
                [grids.centres(0.0) + rows[:, _CENTRE] * strides, np.exp(rows[:, _SIZE]) * strides], axis=1
            )
        scores = _product(rows[:, _OBJECTNESS], rows[:, _CLASSES:], logits=self._logits)
        return _suppressible(values, corners_of(boxes), scores, multi_label=self._multi_label, least=self._threshold)


class DecodeYolov5:
    """YOLOv5, YOLOv7 and YOLOv3: for each place and each anchor a row of centre, size, objectness and class scores.

    Args:
        outputs: Names of the graph's outputs, one for each stride.
        image: Name of the graph's input, whose size says how large the grids are.
        strides: Pixels between two places, one for each grid.
        anchors: Width and height of the anchors of each grid, in pixels.
        sizes: `square`, the square of twice the sigmoid (YOLOv5, YOLOv7); or `exponential` (YOLOv3, YOLOv4).
        logits: The outputs need a sigmoid; otherwise the graph has it.
        multi_label: Each class of an anchor is a candidate; otherwise its best.
        threshold: Of `multi_label`: only with a higher score.
    """

    def __init__(
        self,
        *,
        outputs: Sequence[str],
        image: str,
        strides: Sequence[int],
        anchors: Sequence[Sequence[Sequence[float]]],
        sizes: Literal["square", "exponential"] = "square",
        logits: bool = True,
        multi_label: bool = False,
        threshold: float = 0.0,
    ) -> None:
        self._anchors = np.array(anchors, dtype=np.float32)
        if self._anchors.ndim != 3 or self._anchors.shape[::2] != (len(strides), 2):
            raise ValueError("anchors are a list for each stride, of as many pairs of width and height in each")
        if sizes == "exponential" and not logits:
            raise ValueError("sizes that are exponential are read before a sigmoid")
        self._outputs, self._image, self._strides = list(outputs), image, _checked(strides)
        self._square, self._logits = sizes == "square", logits
        self._multi_label, self._threshold = multi_label, threshold

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`.

        Raises:
            SampleError: The outputs are of other shapes.
        """
        per_place = self._anchors.shape[1:2] * len(self._strides)
        grids = grids_over(values, image=self._image, strides=self._strides, per_place=per_place)
        rows = _rows_with_classes(grids, values, self._outputs)
        made = sigmoid(rows) if self._logits else rows
        anchors = grids.anchors(list(self._anchors))
        strides = grids.of_each(grids.strides)[:, ::-1]
        two, half = np.float32(2), np.float32(0.5)
        with np.errstate(over="ignore"):
            if self._square:
                offsets, extents = made[:, _CENTRE] * two - half, (made[:, _SIZE] * two) ** 2 * anchors
            else:
                offsets, extents = made[:, _CENTRE], np.exp(rows[:, _SIZE]) * anchors
        boxes = np.concatenate([grids.centres(0.0) + offsets * strides, extents], axis=1)
        scores = _product(made[:, _OBJECTNESS], made[:, _CLASSES:], logits=False)
        return _suppressible(values, corners_of(boxes), scores, multi_label=self._multi_label, least=self._threshold)


class DecodeYolov8:
    """YOLOv8 to v11: distances from a place to the sides of its box, and class scores.

    Args:
        outputs: Names of the graph's outputs: one with all places, or one for each stride; distances and then class
            scores, or distances alone where `scores` names others.
        image: Name of the graph's input, whose size says how large the grids are.
        strides: Pixels between two places, one for each grid.
        bins: A distance is the mean of so many whole numbers of strides, whose logits are given; 1 is the distance
            itself, in strides.
        scores: Names of the outputs of class scores, as many as `outputs`.
        logits: Class scores need a sigmoid.
        multi_label: Each class of a place is a candidate; otherwise its best.
        threshold: Of `multi_label`: only with a higher score.
    """

    def __init__(
        self,
        *,
        outputs: Sequence[str],
        image: str,
        strides: Sequence[int] = (8, 16, 32),
        bins: int = 16,
        scores: Sequence[str] = (),
        logits: bool = True,
        multi_label: bool = False,
        threshold: float = 0.0,
    ) -> None:
        self._outputs, self._image, self._strides = list(outputs), image, _checked(strides)
        self._bins, self._scores, self._logits = bins, list(scores), logits
        self._multi_label, self._threshold = multi_label, threshold

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`.

        Raises:
            SampleError: The outputs are of other shapes.
        """
        grids = grids_over(values, image=self._image, strides=self._strides)
        before = 4 * self._bins
        expected = f"{before} values of distances and the class scores"
        rows = grids.rows(values, self._outputs, expected)
        scores = grids.rows(values, self._scores, "class scores") if self._scores else rows[:, before:]
        if not scores.shape[1] or (rows.shape[1] != before and (self._scores or rows.shape[1] < before)):
            raise misfit(values, [*self._outputs, *self._scores], expected)
        distances = rows[:, :before].reshape(-1, 4, self._bins)
        sides = softmax(distances) @ np.arange(self._bins, dtype=np.float32) if self._bins > 1 else distances[:, :, 0]
        sides = sides * np.tile(grids.of_each(grids.strides)[:, ::-1], 2)
        middles = grids.centres(0.5)
        corners = np.concatenate([middles - sides[:, :2], middles + sides[:, 2:]], axis=1)
        scores = sigmoid(scores) if self._logits else scores
        return _suppressible(values, corners, scores, multi_label=self._multi_label, least=self._threshold)


def _checked(strides: Sequence[int]) -> list[int]:
    if not strides or min(strides) < 1:
        raise ValueError("a stride is not positive")
    return list(strides)


def _rows_with_classes(grids: Grids, values: NamedValues, outputs: Sequence[str]) -> NDArray[np.float32]:
    """The rows of all places, which have scores of classes behind the box.

    Raises:
        SampleError: The outputs are of other shapes.
    """
    expected = "5 values and the class scores"
    rows = grids.rows(values, outputs, expected)
    if rows.shape[1] <= _CLASSES:
        raise misfit(values, outputs, expected)
    return rows


def _product(objectness: NDArray[np.float32], scores: NDArray[np.float32], *, logits: bool) -> NDArray[np.float32]:
    return sigmoid(objectness) * sigmoid(scores) if logits else objectness * scores


def _suppressible(
    values: NamedValues, corners: NDArray[np.float32], scores: NDArray[np.float32], *, multi_label: bool, least: float
) -> dict[str, Candidates]:
    """Candidates as they are: their makers suppress boxes before they cut them where the picture ends."""
    found = in_picture(corners, values, cut=False)
    threshold = asked_threshold(values, least)
    return {"candidates": candidates_of(found, scores, multi_label=multi_label, threshold=threshold)}
