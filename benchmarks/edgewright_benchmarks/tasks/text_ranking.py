"""Passages in the order in which they answer a query."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.ranking import LabelledRanking, RankingAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.label_values import RELEVANCE

TASK = Task("text-ranking", RELEVANCE, LabelledRanking(), RankingAgreement())
