"""Boxes around the things in an image."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.detection import BoxAgreement, LabelledBoxes
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.objects import OBJECTS

TASK = Task(
    "object-detection",
    OBJECTS,
    LabelledBoxes(),
    BoxAgreement(),
    suspects="how boxes are decoded (corners or centres, pixels or shares), the order of labels and of channels",
)
