"""A text that goes on."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.next_token import NextToken
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import TEXT_ITSELF

TASK = Task("text-generation", TEXT_ITSELF, NextToken("accuracy"), NextToken("agreement"))
