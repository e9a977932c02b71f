"""Images found by texts, and texts by images. The pair itself is the ground truth."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.agreement import SimilarityAgreement
from edgewright_benchmarks.accuracy.retrieval import Retrieval
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import TEXT_ITSELF

TASK = Task("image-text-retrieval", TEXT_ITSELF, Retrieval("image_embeds", "text_embeds"), SimilarityAgreement())
