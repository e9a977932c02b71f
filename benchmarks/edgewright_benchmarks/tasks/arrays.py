"""Named arrays, prepared elsewhere, into a model of any kind."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import SimilarityAgreement
from edgewright_benchmarks.accuracy.arrays import LabelledArrays
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import CLASS

TASK = Task("arrays", CLASS, LabelledArrays(top=5), SimilarityAgreement(top=5))
