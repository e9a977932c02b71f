"""A number for each text."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.regression import LabelledRegression, RegressionAgreement
from edgewright_benchmarks.label_values import NUMBER
from edgewright_benchmarks.tasks._task import Task

TASK = Task("text-regression", NUMBER, LabelledRegression(), RegressionAgreement())
