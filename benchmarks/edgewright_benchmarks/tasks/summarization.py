"""A text in fewer words."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.translation import LabelledTranslation, TranslationAgreement
from edgewright_benchmarks.tasks._task import WRITING, Task
from edgewright_benchmarks.truth.ground_truth import SUMMARY

TASK = Task("summarization", SUMMARY, LabelledTranslation(), TranslationAgreement(), suspects=WRITING)
