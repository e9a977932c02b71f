"""A text in another language."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.translation import LabelledTranslation, TranslationAgreement
from edgewright_benchmarks.tasks._task import WRITING, Task
from edgewright_benchmarks.truth.ground_truth import TRANSLATION

TASK = Task("translation", TRANSLATION, LabelledTranslation(), TranslationAgreement(), suspects=WRITING)
