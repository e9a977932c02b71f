"""Any number of labels for each text."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.multi_label import LabelledLabels, LabelsAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.label_values import LABELS

TASK = Task("multi-label-text-classification", LABELS, LabelledLabels(), LabelsAgreement())
