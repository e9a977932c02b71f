"""What an image shows, in words."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.written import LabelledWriting, WritingAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth import RIGHT_TEXTS

TASK = Task("image-to-text", RIGHT_TEXTS, LabelledWriting(captions=True), WritingAgreement())
