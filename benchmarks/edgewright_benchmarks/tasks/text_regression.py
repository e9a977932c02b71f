"""A number for each text."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.regression import LabelledRegression, RegressionAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.label_values import NUMBER

TASK = Task("text-regression", NUMBER, LabelledRegression(), RegressionAgreement())
