"""A picture from a seed. The reference is the float baseline's picture."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.pictures import PictureAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import NOTHING

TASK = Task("unconditional-image-generation", NOTHING, PictureAgreement(), PictureAgreement())
