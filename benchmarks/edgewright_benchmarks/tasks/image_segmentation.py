"""A class for each pixel of a picture."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.segmentation import LabelledMasks, MaskAgreement
from edgewright_benchmarks.masks import MASKS
from edgewright_benchmarks.tasks._task import PICTURES, Task

TASK = Task("image-segmentation", MASKS, LabelledMasks(), MaskAgreement(), suspects=PICTURES)
