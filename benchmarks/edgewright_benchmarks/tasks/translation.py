"""A text in another language."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.written import LabelledTexts, TextAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth import written_text

TASK = Task("translation", written_text("translation"), LabelledTexts(), TextAgreement())
