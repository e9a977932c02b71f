"""One label for each video."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import TopClassAgreement
from edgewright_benchmarks.accuracy.classification import LabelledClassification
from edgewright_benchmarks.tasks._task import PICTURES, Task
from edgewright_benchmarks.truth.ground_truth import CLASS

TASK = Task("video-classification", CLASS, LabelledClassification(top=5), TopClassAgreement(), suspects=PICTURES)
