"""One label for each recording."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import TopClassAgreement
from edgewright_benchmarks.accuracy.classification import LabelledClassification
from edgewright_benchmarks.tasks._task import SOUNDS, Task
from edgewright_benchmarks.truth.ground_truth import CLASS

TASK = Task("audio-classification", CLASS, LabelledClassification(), TopClassAgreement(), suspects=SOUNDS)
