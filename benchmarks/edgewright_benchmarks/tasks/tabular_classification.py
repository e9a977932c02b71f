"""One class for each row of a table."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import TopClassAgreement
from edgewright_benchmarks.accuracy.classification import LabelledClassification
from edgewright_benchmarks.tasks._task import TABLES, Task
from edgewright_benchmarks.truth.ground_truth import CLASS

TASK = Task("tabular-classification", CLASS, LabelledClassification(), TopClassAgreement(), suspects=TABLES)
