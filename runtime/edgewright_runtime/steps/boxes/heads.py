"""From the outputs of a detector's graph to candidates for boxes, one step for each kind of head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.probabilities import sigmoid, softmax
from edgewright_runtime.steps.boxes.suppression import Candidates
from edgewright_runtime.steps.image.fit import AS_IT_IS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewright_runtime.steps.values import NamedValues


class DecodeQueries:
    """DETR and its kin: class scores and a box for each of a fixed number of queries; boxes as shares of the picture.

    Args:
        logits: Name of the output of shape [1, queries, classes].
        boxes: Name of the output of shape [1, queries, 4]: centre x, centre y, width, height.
        scores: `softmax`, where the last class is "nothing" and a query has one class; or `sigmoid`, where each class
            of a query is a candidate.
        best: With `sigmoid`, how many candidates there are at most; by default as many as queries.
    """

    def __init__(
        self,
        *,
        logits: str,
        boxes: str,
        scores: Literal["softmax", "sigmoid"],
        best: int | None = None,
    ) -> None:
        if scores not in ("softmax", "sigmoid"):
            raise ValueError(f"scores is {scores!r}")
        self._logits = logits
        self._boxes = boxes
        self._softmax = scores == "softmax"
        self._best = best

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`."""
        logits, boxes = values[self._logits][0], values[self._boxes][0]
        if self._softmax:
            scores = softmax(logits)[:, :-1]
            classes = scores.argmax(axis=-1)
            queries = np.arange(len(boxes))
            scores = scores[queries, classes]
        else:
            scores = sigmoid(logits).reshape(-1)
            best = min(self._best or len(boxes), scores.size)
            chosen = (-scores).argsort(kind="stable")[:best]
            queries, classes = np.divmod(chosen, logits.shape[-1])
            scores = scores[chosen]
        height, width = values["image_size"]
        corners = corners_of(boxes[queries]) * np.array([width, height, width, height], dtype=np.float32)
        return {"candidates": Candidates(corners, scores, classes.astype(np.int64))}


class DecodeAnchors:
    """YOLO and its kin: one output with a box in pixels of the graph's input and class scores for each anchor.

    Args:
        output: Name of the output of shape [1, 4 + classes, anchors].
        anchors_last: Anchors are its last axis, and not the second of three.
        objectness: The fifth value of an anchor says whether there is anything; scores are multiplied with it.
        logits: Scores are logits, and not probabilities yet.
    """

    def __init__(
        self,
        *,
        output: str,
        anchors_last: bool = True,
        objectness: bool = False,
        logits: bool = False,
    ) -> None:
        self._output = output
        self._anchors_last = anchors_last
        self._first = 5 if objectness else 4
        self._logits = logits

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`; an anchor is one for its best class.

        Raises:
            SampleError: The output is of another shape.
        """
        found = values[self._output]
        if found.ndim != 3 or len(found) != 1:
            raise SampleError(
                f"The output '{self._output}' is {list(found.shape)}; expected the anchors of one sample."
            )
        rows = found[0].T if self._anchors_last else found[0]
        if rows.shape[1] <= self._first:
            raise SampleError(
                f"The output '{self._output}' is {list(found.shape)}: its shape leaves no room for classes."
            )
        scores = rows[:, self._first :]
        if self._logits:
            scores = sigmoid(scores)
        if self._first == 5:
            scores = scores * rows[:, 4:5]
        classes = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), classes]
        corners = in_picture(corners_of(rows[:, :4]), values)
        return {"candidates": Candidates(corners, best.astype(np.float32, copy=False), classes.astype(np.int64))}


class DecodeHeatMaps:
    """CenterFace and its kin: a map of scores for each class, with sizes and offsets of boxes at each place of it.

    Args:
        scores: Name of the output of shape [1, classes, rows, columns]; probabilities.
        sizes: Name of the output of shape [1, 2, rows, columns]: logarithms of height and width, in strides.
        offsets: Name of the output of shape [1, 2, rows, columns]: down and right of the place, in strides.
        stride: Pixels of the graph's input between two places.
    """

    def __init__(
        self,
        *,
        scores: str,
        sizes: str,
        offsets: str,
        stride: int,
    ) -> None:
        if stride < 1:
            raise ValueError("a stride is not positive")
        self._names = (scores, sizes, offsets)
        self._stride = np.float32(stride)

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`; a place is one for its best class."""
        scores, sizes, offsets = (values[name][0] for name in self._names)
        classes = scores.argmax(axis=0)
        rows, columns = np.indices(classes.shape, dtype=np.float32)
        half = np.float32(0.5)
        places = np.stack([columns + offsets[1] + half, rows + offsets[0] + half], axis=-1)
        # A graph of low precision may give sizes beyond any number.
        with np.errstate(over="ignore"):
            extents = np.exp(sizes[[1, 0]]).transpose(1, 2, 0)
        boxes = (self._stride * np.concatenate([places, extents], axis=-1)).reshape(-1, 4)
        best = scores.max(axis=0).reshape(-1).astype(np.float32, copy=False)
        corners = in_picture(corners_of(boxes), values)
        return {"candidates": Candidates(corners, best, classes.reshape(-1).astype(np.int64))}


class TakeBoxes:
    """Faster R-CNN and its kin: the graph itself gives the boxes that it found, however many.

    Args:
        boxes: Name of the output of shape [boxes, 4]: left, top, right, bottom, in pixels of the graph's input.
        scores: Name of the output of shape [boxes].
        classes: Name of the output of shape [boxes], whole numbers.
        first_class: The number of the first label: 1 where 0 is the background.
    """

    def __init__(
        self,
        *,
        boxes: str,
        scores: str,
        classes: str,
        first_class: int = 0,
    ) -> None:
        self._names = (boxes, scores, classes)
        self._first_class = first_class

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`."""
        boxes, scores, classes = (values[name] for name in self._names)
        corners = in_picture(boxes.reshape(-1, 4).astype(np.float32, copy=False), values)
        scores = scores.reshape(-1).astype(np.float32, copy=False)
        return {"candidates": Candidates(corners, scores, classes.reshape(-1).astype(np.int64) - self._first_class)}


def corners_of(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Left, top, right and bottom of boxes given by centre, width and height; shape (boxes, 4)."""
    centres, half = boxes[:, :2], np.float32(0.5) * boxes[:, 2:]
    return np.concatenate([centres - half, centres + half], axis=1)


def in_picture(corners: NDArray[np.float32], values: NamedValues) -> NDArray[np.float32]:
    """Boxes in pixels of the graph's input, in those of the picture instead, and cut where it ends."""
    scale_x, scale_y, left, top = values.get("placement", AS_IT_IS)
    offset = np.array([left, top, left, top], dtype=np.float32)
    found = (corners - offset) / np.array([scale_x, scale_y, scale_x, scale_y], dtype=np.float32)
    height, width = values["image_size"]
    return np.clip(found, np.float32(0), np.array([width, height, width, height], dtype=np.float32))
