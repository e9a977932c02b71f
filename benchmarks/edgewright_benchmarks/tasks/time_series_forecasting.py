"""The next values of a series."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import SimilarityAgreement
from edgewright_benchmarks.accuracy.forecasts import LabelledForecasts
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.series import FUTURE

_SUSPECTS = "the order of the columns, the steps of time (hours, days), and the mean and std that training divided by"
TASK = Task("time-series-forecasting", FUTURE, LabelledForecasts(), SimilarityAgreement(), suspects=_SUSPECTS)
