"""A question about an image, answered in words."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.written import LabelledWriting, WritingAgreement
from edgewright_benchmarks.tasks._task import WRITING, Task
from edgewright_benchmarks.truth.ground_truth import ANSWERS

TASK = Task("visual-question-answering", ANSWERS, LabelledWriting(), WritingAgreement(), suspects=WRITING)
