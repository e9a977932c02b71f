"""A class for each pixel of a picture."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.segmentation import LabelledSegmentation, SegmentationAgreement
from edgewright_benchmarks.tasks._task import PICTURES, Task
from edgewright_benchmarks.truth.masks import MASKS

TASK = Task("image-segmentation", MASKS, LabelledSegmentation(), SegmentationAgreement(), suspects=PICTURES)
