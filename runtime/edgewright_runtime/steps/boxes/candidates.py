"""Boxes that a model considers, which steps of heads make and steps of suppression choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.image.fit import AS_IT_IS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

# Outputs that a message shows.
_SHOWN = 12


@dataclass(frozen=True)
class Candidates:
    """Boxes that a model considers, in no order.

    Attributes:
        corners: Left, top, right, bottom, in pixels of the picture as it was decoded; float32, shape (boxes, 4).
        scores: Float32, shape (boxes,).
        classes: Index of a label; int64, shape (boxes,).
        points: Points of each box, such as keypoints or the corners of a line of text: x, y in pixels of the picture,
            and a score where a model gives one; float32, shape (boxes, points, 2 or 3).
        kinds: For how many classes the outputs have scores, where that is known.
    """

    corners: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    points: NDArray[np.float32] | None = None
    kinds: int | None = None

    def some(self, chosen: NDArray[Any] | slice) -> Candidates:
        """Those at these places, or where this is true."""
        points = None if self.points is None else self.points[chosen]
        return Candidates(self.corners[chosen], self.scores[chosen], self.classes[chosen], points, self.kinds)

    def over(self, threshold: float) -> Candidates:
        """Those with a score above a threshold; one that is not a number is above none."""
        return self.some(self.scores > np.float32(threshold))

    def best_first(self) -> Candidates:
        """In the order of their scores; of equal ones the first stays first."""
        return self.some((-self.scores).argsort(kind="stable"))


def candidates_of(
    corners: NDArray[np.float32],
    scores: NDArray[np.float32],
    *,
    multi_label: bool,
    threshold: float,
    points: NDArray[np.float32] | None = None,
) -> Candidates:
    """Candidates of boxes (boxes, 4) and the scores of their classes (boxes, classes).

    Args:
        corners: As `Candidates` has them.
        scores: Probabilities.
        multi_label: Each class of a box with a higher score than `threshold` is a candidate; otherwise the best class.
        threshold: See `multi_label`.
        points: As `Candidates` has them.
    """
    kinds = scores.shape[1]
    if multi_label:
        boxes, classes = np.nonzero(scores > np.float32(threshold))
        best = scores[boxes, classes]
        corners, points = corners[boxes], None if points is None else points[boxes]
    else:
        classes = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), classes]
    best = best.astype(np.float32, copy=False)
    return Candidates(corners, best, classes.astype(np.int64, copy=False), points, kinds)


def corners_of(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Left, top, right and bottom of boxes given by centre, width and height; shape (boxes, 4)."""
    centres, half = boxes[:, :2], np.float32(0.5) * boxes[:, 2:]
    return np.concatenate([centres - half, centres + half], axis=1)


def in_picture(corners: NDArray[np.float32], values: NamedValues, *, cut: bool = True) -> NDArray[np.float32]:
    """Boxes in pixels of the graph's input, in those of the picture instead.

    Args:
        corners: Shape (boxes, 4), or more points x, y in a row of any number of them.
        values: Those of the sample, with its `image_size` and its `placement`.
        cut: Cut them where the picture ends. What cuts before suppression and what cuts after it finds other overlaps;
            each head does it as its maker does.
    """
    scale_x, scale_y, left, top = values.get("placement", AS_IT_IS)
    repeats = corners.shape[-1] // 2
    offset: NDArray[np.float32] = np.array([left, top] * repeats, dtype=np.float32)
    scale: NDArray[np.float32] = np.array([scale_x, scale_y] * repeats, dtype=np.float32)
    found: NDArray[np.float32] = (corners - offset) / scale
    return within_picture(found, values) if cut else found


def within_picture(corners: NDArray[np.float32], values: NamedValues) -> NDArray[np.float32]:
    """Boxes (boxes, 4), cut where the picture ends."""
    height, width = values["image_size"]
    return np.clip(corners, np.float32(0), np.array([width, height] * (corners.shape[-1] // 2), dtype=np.float32))


def misfit(values: NamedValues | Arrays, names: Sequence[str], expected: str) -> SampleError:
    """The error of outputs that are not those of the declared head: what was expected, and what they are.

    Args:
        values: Those of the sample.
        names: The outputs that the head reads.
        expected: Continues "expected".
    """
    shown = [f"'{name}' is {list(np.shape(values[name]))}" for name in names[:_SHOWN] if name in values]
    return SampleError(
        f"The outputs do not fit the declared head: {', '.join(shown)}; expected {expected}.",
        hint="Declare the head that the detector has: docs/detection.md lists them with the outputs of each.",
    )


def one_of_each(values: NamedValues, names: Sequence[str], ranks: Sequence[int], expected: str) -> list[Any]:
    """The outputs without their first axis, which is that of one sample.

    Raises:
        SampleError: One has another number of axes, or more samples than one.
    """
    found = [values[name] for name in names]
    if any(array.ndim not in ranks or len(array) != 1 for array in found):
        raise misfit(values, names, expected)
    return [array[0] for array in found]
