"""A text in fewer words."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.written import LabelledTexts, TextAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth import written_text

TASK = Task("summarization", written_text("summary"), LabelledTexts(), TextAgreement())
