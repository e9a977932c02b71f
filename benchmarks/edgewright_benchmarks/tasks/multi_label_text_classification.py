"""Any number of labels for each text."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.multi_label import LabelledLabels, LabelsAgreement
from edgewright_benchmarks.label_values import LABELS
from edgewright_benchmarks.tasks._task import Task

TASK = Task("multi-label-text-classification", LABELS, LabelledLabels(), LabelsAgreement())
