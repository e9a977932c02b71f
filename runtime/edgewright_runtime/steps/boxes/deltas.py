"""SSD, RetinaNet and their kin: what an anchor says of the box near it.

The formulas are those of torchvision (`BoxCoder.decode`; S. Ren et al., 2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from edgewright_runtime.probabilities import sigmoid, softmax
from edgewright_runtime.steps.boxes.candidates import Candidates, candidates_of, corners_of, in_picture, misfit
from edgewright_runtime.steps.boxes.places import grids_over
from edgewright_runtime.steps.boxes.suppression import asked_threshold

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues

# A box is at most so many times as large as its anchor: an edge of 1,000 of 16 pixels, as torchvision and its anchors.
_LARGEST = math.log(1000 / 16)


class DecodeDeltas:
    """Scores of classes and four deltas for each anchor, which lie on grids.

    Args:
        scores: Names of the outputs of class scores: one with all anchors, or one for each grid.
        deltas: Names of the outputs of deltas, likewise: x, y, width, height.
        image: Name of the graph's input, whose size says how large the grids are.
        anchors: Width and height of the anchors of each grid, in pixels, in the order of the outputs.
        strides: Pixels between two places, one for each grid; without them the picture is divided by `grids`.
        grids: Rows and columns of each grid, where they are not those that the stride gives.
        offset: Where in a place its anchors have their middle: 0 is its upper left corner, 0.5 its middle.
        weights: What the deltas of x, y, width and height are divided by; the inverse of SSD's variances.
        linear: Width and height are shares of the anchor's, and not their logarithms.
        activation: What makes probabilities of the scores of an anchor.
        first_class: The number of the first label: 1 where 0 is the background.
        multi_label: Each class of an anchor is a candidate; otherwise its best.
        threshold: Of `multi_label`: only with a higher score.
    """

    def __init__(
        self,
        *,
        scores: Sequence[str],
        deltas: Sequence[str],
        image: str,
        anchors: Sequence[Sequence[Sequence[float]]],
        strides: Sequence[float] = (),
        grids: Sequence[Sequence[int]] = (),
        offset: float = 0.5,
        weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
        linear: bool = False,
        activation: Literal["softmax", "sigmoid", "probabilities"] = "sigmoid",
        first_class: int = 0,
        multi_label: bool = True,
        threshold: float = 0.0,
    ) -> None:
        if not (strides or grids) or {len(one) for one in (strides, grids) if one} != {len(anchors)}:
            raise ValueError("anchors need a list for each of the strides or grids")
        if any(not 0 < stride < math.inf for stride in strides) or any(min(grid) < 1 for grid in grids):
            raise ValueError("a stride or a grid is not positive")
        if len(weights) != 4 or min(weights) <= 0:
            raise ValueError("weights are four positive numbers")
        if first_class not in (0, 1):
            raise ValueError("first_class is 0 or 1")
        self._anchors = [np.array(one, dtype=np.float32).reshape(-1, 2) for one in anchors]
        self._scores, self._deltas, self._image = list(scores), list(deltas), image
        self._strides, self._grids = list(strides), [list(grid) for grid in grids]
        self._offset, self._weights = offset, np.array(weights, dtype=np.float32)
        self._linear, self._activation, self._first = linear, activation, first_class
        self._multi_label, self._threshold = multi_label, threshold

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Add `candidates`.

        Raises:
            SampleError: The outputs are of other shapes.
        """
        per_place = [len(one) for one in self._anchors]
        grids = grids_over(values, image=self._image, strides=self._strides, sizes=self._grids, per_place=per_place)
        centres, sizes = grids.centres(self._offset), grids.anchors(self._anchors)
        scores = grids.rows(values, self._scores, "class scores")
        deltas = grids.rows(values, self._deltas, "4 deltas")
        if deltas.shape[1] != 4:
            raise misfit(values, self._deltas, "4 deltas for each anchor")
        deltas = deltas / self._weights
        if self._activation != "probabilities":
            scores = softmax(scores) if self._activation == "softmax" else sigmoid(scores)
        scores = scores[:, self._first :]
        if not scores.shape[1]:
            raise misfit(values, self._scores, "scores of the background and of at least one class")
        if self._linear:
            extents = deltas[:, 2:] * sizes
        else:
            extents = np.exp(np.minimum(deltas[:, 2:], np.float32(_LARGEST))) * sizes
        corners = corners_of(np.concatenate([centres + deltas[:, :2] * sizes, extents], axis=1))
        least = asked_threshold(values, self._threshold)
        # torchvision cuts boxes where the picture ends before it suppresses.
        found = in_picture(corners, values)
        return {"candidates": candidates_of(found, scores, multi_label=self._multi_label, threshold=least)}
