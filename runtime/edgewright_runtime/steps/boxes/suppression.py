"""From candidates for boxes to the boxes that a person gets: class-wise suppression, threshold, names.

Steps of heads make the value `candidates`; these steps go on with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.boxes.candidates import misfit, within_picture
from edgewright_runtime.steps.values import call_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewright_runtime.answer_types import FoundBox
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.boxes.candidates import Candidates
    from edgewright_runtime.steps.values import NamedValues

# Beyond the best so many, candidates are dropped before suppression, whose work grows with their square.
MOST_CANDIDATES = 3000


class SuppressBoxes:
    """Of boxes of one class that overlap, only the one with the highest score: as torchvision's `batched_nms`.

    Args:
        overlap: The largest share of overlap (intersection over union) that two boxes may have.
        threshold: Candidates with a lower score are left out.
        by_class: Boxes of different classes do not suppress one another.
    """

    def __init__(
        self,
        *,
        overlap: float,
        threshold: float,
        by_class: bool = True,
    ) -> None:
        if not (0 <= overlap <= 1 and 0 <= threshold <= 1):
            raise ValueError("overlap and threshold are shares of one")
        self._overlap = np.float32(overlap)
        self._threshold = threshold
        self._by_class = by_class

    def __call__(self, values: NamedValues) -> dict[str, Candidates]:
        """Replace `candidates`; they come out best first, cut where the picture ends."""
        threshold = asked_threshold(values, self._threshold)
        best = values["candidates"].over(threshold).best_first()
        best = best.some(slice(MOST_CANDIDATES))
        kept = suppress(best.corners, best.classes if self._by_class else None, self._overlap)
        found = best.some(kept)
        # Some makers' boxes are still beyond the picture here: it counts for their overlap.
        cut = within_picture(found.corners, values) if "image_size" in values else found.corners
        return {"candidates": replace(found, corners=cut)}


def suppress(corners: NDArray[np.float32], classes: NDArray[np.int64] | None, overlap: np.float32) -> NDArray[np.int64]:
    """Places of the boxes that stay, of boxes that come best first."""
    left, top, right, bottom = corners.T
    areas = (right - left) * (bottom - top)
    alive = np.ones(len(corners), dtype=bool)
    kept = []
    # Two boxes without an area divide nothing by nothing, which is not an overlap.
    with np.errstate(invalid="ignore"):
        for place in range(len(corners)):
            if not alive[place]:
                continue
            kept.append(place)
            rest = slice(place + 1, None)
            width = np.minimum(right[place], right[rest]) - np.maximum(left[place], left[rest])
            height = np.minimum(bottom[place], bottom[rest]) - np.maximum(top[place], top[rest])
            common = np.maximum(width, np.float32(0)) * np.maximum(height, np.float32(0))
            near = common / (areas[place] + areas[rest] - common) > overlap
            alive[rest] &= ~near if classes is None else ~(near & (classes[rest] == classes[place]))
    return np.array(kept, dtype=np.int64)


class NameBoxes:
    """Candidates to boxes with labels, best first.

    Args:
        package: Holds the labels.
        threshold: Boxes with a lower score are not given; an option of a call as well.
        max_boxes: At most so many are given.
        shown: Boxes of at least this score are marked as those that a person would be given; for scoring.
    """

    def __init__(
        self,
        package: Package,
        *,
        threshold: float,
        max_boxes: int = 100,
        shown: float | None = None,
    ) -> None:
        if not 0 <= threshold <= 1 or max_boxes < 1:
            raise ValueError("a threshold is a share of one, and there is at least one box")
        self._labels = package.manifest.labels
        self._threshold = threshold
        self._most = max_boxes
        self._shown = shown

    def __call__(self, values: NamedValues) -> dict[str, list[FoundBox]]:
        """Add `boxes`, a list of `{"label", "score", "box"}` with a box as transformers' pipelines write it.

        Raises:
            SampleError: The threshold of the call is not valid, or the model predicts a class without a label.
        """
        best = values["candidates"].over(asked_threshold(values, self._threshold)).best_first()
        if best.kinds is not None and best.kinds != len(self._labels):
            outputs = values.get("outputs", {})
            raise misfit(outputs, list(outputs), f"scores of {len(self._labels)} labels, not of {best.kinds} classes")
        # A graph of low precision may give what is not a number.
        best = best.some(np.isfinite(best.corners).all(axis=1))
        if best.classes.size and not 0 <= best.classes.min() <= best.classes.max() < len(self._labels):
            raise SampleError(f"The model predicted a class outside its {len(self._labels)} labels.")
        best = best.some(slice(self._most))
        found: list[FoundBox] = []
        for place, (kind, score, corners) in enumerate(
            zip(best.classes.tolist(), best.scores.tolist(), best.corners.tolist(), strict=True)
        ):
            found.append({"label": self._labels[kind], "score": score, "box": dict(zip(SIDES, corners, strict=True))})
            if best.points is not None:
                found[-1]["points"] = best.points[place].tolist()
            if self._shown is not None:
                found[-1]["shown"] = score > self._shown
        return {"boxes": found}


# The sides of a box in an answer, in pixels from the left and from the top.
SIDES = ("xmin", "ymin", "xmax", "ymax")


def asked_threshold(values: NamedValues, declared: float) -> float:
    """The threshold that a call asks for, else the declared one.

    Raises:
        SampleError: It is not a share of one.
    """
    asked = call_of(values).options.get("threshold")
    if asked is None:
        return declared
    if isinstance(asked, bool) or not isinstance(asked, (int, float)) or not 0 <= asked <= 1:
        raise SampleError(f"The threshold must be a number from 0 to 1; found {asked!r}.")
    return float(asked)
