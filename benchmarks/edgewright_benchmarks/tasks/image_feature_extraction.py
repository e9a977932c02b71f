"""A vector for each picture: which others show the same."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import SimilarityAgreement
from edgewright_benchmarks.accuracy.identity import LabelledIdentities
from edgewright_benchmarks.tasks._task import PICTURES, Task
from edgewright_benchmarks.truth.label_values import IDENTITY

TASK = Task("image-feature-extraction", IDENTITY, LabelledIdentities(), SimilarityAgreement(), suspects=PICTURES)
