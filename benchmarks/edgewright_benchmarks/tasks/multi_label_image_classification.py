"""Any number of labels for each image."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.multi_label import LabelledLabels, LabelsAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.label_values import LABELS

TASK = Task("multi-label-image-classification", LABELS, LabelledLabels(), LabelsAgreement())
