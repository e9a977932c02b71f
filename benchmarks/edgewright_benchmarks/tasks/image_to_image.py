"""A picture from a picture: larger, without noise."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.pictures import PictureAgreement
from edgewright_benchmarks.accuracy.restored import LabelledPictures
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.targets import TARGETS

_SUSPECTS = "the order of the channels (RGB or BGR), the scale of the pixels, and how the small pictures were made"
TASK = Task("image-to-image", TARGETS, LabelledPictures(), PictureAgreement(), suspects=_SUSPECTS)
