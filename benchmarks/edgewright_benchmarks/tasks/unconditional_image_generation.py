"""A picture from a seed. What is right is the picture of the float baseline."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.pictures import PictureAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import NOTHING

TASK = Task("unconditional-image-generation", NOTHING, PictureAgreement(), PictureAgreement())
