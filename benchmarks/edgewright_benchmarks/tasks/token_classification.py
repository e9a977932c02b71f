"""A label for each word of a text."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.entities import EntityAgreement, LabelledEntities
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import TAGS

TASK = Task("token-classification", TAGS, LabelledEntities(), EntityAgreement())
