"""A vector for each text. The reference is the float baseline's vector."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import SimilarityAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import NOTHING

TASK = Task("feature-extraction", NOTHING, SimilarityAgreement(), SimilarityAgreement())
