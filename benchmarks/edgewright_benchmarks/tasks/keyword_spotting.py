"""Which words are said in a recording."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.keywords import KeywordAgreement, LabelledKeywords
from edgewright_benchmarks.tasks._task import SOUNDS, Task
from edgewright_benchmarks.truth.ground_truth import KEYWORDS

TASK = Task("keyword-spotting", KEYWORDS, LabelledKeywords(), KeywordAgreement(), suspects=SOUNDS)
