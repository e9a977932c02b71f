"""Candidates of a detector with points to poses: boxes whose points have names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.boxes.suppression import SIDES, asked_threshold

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import FoundPose, Keypoint
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.boxes.candidates import Candidates
    from edgewright_runtime.steps.values import NamedValues


class NamePoses:
    """Candidates with points to poses, best first; what class they are of is not told.

    Args:
        package: Holds the labels, which are the names of the points.
        threshold: Poses with a lower score are not given; an option of a call as well.
        max_boxes: At most so many are given.
        shown: Poses of at least this score are marked as those that a person would be given; for scoring.
    """

    def __init__(self, package: Package, *, threshold: float, max_boxes: int = 100, shown: float | None = None) -> None:
        if not 0 <= threshold <= 1 or max_boxes < 1:
            raise ValueError("a threshold is a share of one, and there is at least one box")
        self._labels = package.manifest.labels
        self._threshold = threshold
        self._most = max_boxes
        self._shown = shown

    def __call__(self, values: NamedValues) -> dict[str, list[FoundPose]]:
        """Add `poses`, each with its `score`, its `box` and its `keypoints`.

        Raises:
            SampleError: The threshold of the call is not valid, or there are more or fewer points than labels.
        """
        best: Candidates = values["candidates"].over(asked_threshold(values, self._threshold)).best_first()
        points = best.points
        if points is None or points.shape[1] != len(self._labels):
            found = 0 if points is None else points.shape[1]
            raise SampleError(
                f"The model gives {found} points of each box; the package has {len(self._labels)} labels."
            )
        # A graph of low precision may give what is not a number.
        numbers = np.concatenate([best.corners, *points.transpose(1, 0, 2)], axis=1)
        best = best.some(np.isfinite(numbers).all(axis=1))
        best = best.some(slice(self._most))
        return {"poses": [self._pose(best, place) for place in range(len(best.scores))]}

    def _pose(self, best: Candidates, place: int) -> FoundPose:
        assert best.points is not None
        score = float(best.scores[place])
        keypoints: list[Keypoint] = []
        for label, point in zip(self._labels, best.points[place].tolist(), strict=True):
            # Points without a score of their own are as sure as their box.
            sure = point[2] if len(point) > 2 else score
            keypoints.append({"label": label, "x": point[0], "y": point[1], "score": sure})
        box = dict(zip(SIDES, best.corners[place].tolist(), strict=True))
        found: FoundPose = {"score": score, "box": box, "keypoints": keypoints}
        if self._shown is not None:
            found["shown"] = score > self._shown
        return found
