"""Whether a text belongs to an image: `match` or `other`."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import TopClassAgreement
from edgewright_benchmarks.accuracy.classification import LabelledClassification
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import CLASS

TASK = Task("image-text-matching", CLASS, LabelledClassification(), TopClassAgreement())
