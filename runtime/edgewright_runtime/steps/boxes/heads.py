"""From the outputs of a detector's graph to candidates for boxes, one step for each kind of head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from edgewright_runtime.probabilities import sigmoid, softmax
from edgewright_runtime.steps.boxes.candidates import (
    Candidates,
    candidates_of,
    corners_of,
    in_picture,
    misfit,
    one_of_each,
)
from edgewright_runtime.steps.boxes.suppression import asked_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewright_runtime.steps.values import NamedValues

_QUERIES = "logits [1, queries, classes] and boxes [1, queries, 4]"
_MAPS = "scores [1, classes, rows, columns], sizes and offsets [1, 2, rows, columns]"


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
        """Add `candidates`.

        Raises:
            SampleError: The outputs are of other shapes.
        """
        names = (self._logits, self._boxes)
        logits, boxes = one_of_each(values, names, (3,), _QUERIES)
        if len(logits) != len(boxes) or boxes.shape[-1] != 4:
            raise misfit(values, names, _QUERIES)
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
        multi_label: Each class of an anchor is a candidate; otherwise its best.
        threshold: Of `multi_label`: only with a higher score.
        keypoints: Points behind the class scores of each anchor, as YOLO-pose has them.
        keypoint_values: Of each point: x and y in pixels of the graph's input, and with 3 a probability.
    """

    def __init__(
        self,
        *,
        output: str,
        anchors_last: bool = True,
        objectness: bool = False,
        logits: bool = False,
        multi_label: bool = False,
        threshold: float = 0.0,
        keypoints: int = 0,
        keypoint_values: Literal[2, 3] = 3,
    ) -> None:
        if keypoints < 0:
            raise ValueError("keypoints is negative")
        self._points = (keypoints, keypoint_values)
        self._output = output
        self._multi_label, self._threshold = multi_label, threshold
        self._anchors_last = anchors_last
        self._first = 5 if objectness else 4
        self._logits = logits

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`.

        Raises:
            SampleError: The output is of another shape.
        """
        points, each = self._points
        columns = f"{self._first} + classes" + (f" + {points} x {each}" if points else "")
        expected = f"[1, {columns}, anchors]" if self._anchors_last else f"[1, anchors, {columns}]"
        (found,) = one_of_each(values, [self._output], (3,), expected)
        rows = found.T if self._anchors_last else found
        last = rows.shape[1] - points * each
        if last <= self._first:
            raise misfit(values, [self._output], f"{expected}, which leaves room for classes")
        scores = rows[:, self._first : last]
        if self._logits:
            scores = sigmoid(scores)
        if self._first == 5:
            scores = scores * rows[:, 4:5]
        # Their makers suppress boxes before they cut them where the picture ends.
        corners = in_picture(corners_of(rows[:, :4]), values, cut=False)
        least = asked_threshold(values, self._threshold)
        placed = self._placed(rows[:, last:], values)
        return {
            "candidates": candidates_of(corners, scores, multi_label=self._multi_label, threshold=least, points=placed)
        }

    def _placed(self, rows: NDArray[np.float32], values: NamedValues) -> NDArray[np.float32] | None:
        points, each = self._points
        if not points:
            return None
        found = rows.reshape(len(rows), points, each).astype(np.float32)
        found[..., :2] = in_picture(found[..., :2].reshape(-1, 2), values).reshape(len(rows), points, 2)
        return found


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
        """Add `candidates`; a place is one for its best class.

        Raises:
            SampleError: The outputs are of other shapes.
        """
        scores, sizes, offsets = one_of_each(values, self._names, (4,), _MAPS)
        if not scores.shape[1:] == sizes.shape[1:] == offsets.shape[1:] or not len(sizes) == len(offsets) == 2:
            raise misfit(values, self._names, _MAPS)
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
        found = Candidates(corners, best, classes.reshape(-1).astype(np.int64), kinds=len(scores))
        return {"candidates": found}
