"""Any number of labels for each image."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.multi_label import LabelledLabels, LabelsAgreement
from edgewright_benchmarks.label_values import LABELS
from edgewright_benchmarks.tasks._task import Task

TASK = Task("multi-label-image-classification", LABELS, LabelledLabels(), LabelsAgreement())
