"""Which of some labels fits a text; those of the package are the classes."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import TopClassAgreement
from edgewright_benchmarks.accuracy.classification import LabelledClassification
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import CLASS

TASK = Task("zero-shot-classification", CLASS, LabelledClassification(top=5), TopClassAgreement())
