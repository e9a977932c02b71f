"""One of two classes for each text, from one score."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import TopClassAgreement
from edgewright_benchmarks.accuracy.classification import LabelledClassification
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.label_values import ONE_OF_TWO

TASK = Task("binary-text-classification", ONE_OF_TWO, LabelledClassification(), TopClassAgreement())
