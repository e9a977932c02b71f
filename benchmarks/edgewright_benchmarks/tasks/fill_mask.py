"""What stands behind a mask in a text."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.masked import LabelledMaskedWords, MaskedWordAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import WORDS

TASK = Task("fill-mask", WORDS, LabelledMaskedWords(), MaskedWordAgreement())
