"""A number for each row of a table."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import SimilarityAgreement
from edgewright_benchmarks.accuracy.fit import LabelledFit
from edgewright_benchmarks.tasks._task import TABLES, Task
from edgewright_benchmarks.truth.array_values import ROWS

TASK = Task("tabular-regression", ROWS, LabelledFit(), SimilarityAgreement(), suspects=TABLES)
