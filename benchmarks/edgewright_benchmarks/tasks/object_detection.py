"""Boxes around the things in an image."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.detection import BoxAgreement, LabelledBoxes
from edgewright_benchmarks.objects import OBJECTS
from edgewright_benchmarks.tasks._task import Task

TASK = Task("object-detection", OBJECTS, LabelledBoxes(), BoxAgreement())
