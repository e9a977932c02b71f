"""Named points of a thing in a picture, such as the joints of a person."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.poses import LabelledPoses, PoseAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.keypoints import KEYPOINTS

TASK = Task(
    "keypoint-detection",
    KEYPOINTS,
    LabelledPoses(),
    PoseAgreement(),
    suspects="the order of the keypoints, the boxes (x, y, width, height), and the scale of the pixels",
)
