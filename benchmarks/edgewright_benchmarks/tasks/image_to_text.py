"""What an image shows or says, in words."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.written import LabelledWriting, WritingAgreement
from edgewright_benchmarks.tasks._task import WRITING, Task
from edgewright_benchmarks.truth.ground_truth import REFERENCE_TEXTS

TASK = Task("image-to-text", REFERENCE_TEXTS, LabelledWriting(pictures=True), WritingAgreement(), suspects=WRITING)
