"""Metrics, one file for each kind of prediction; `edgewright_benchmarks.tasks` says which task has which."""

from __future__ import annotations

from edgewright_benchmarks.accuracy._columns import column_from_scores
from edgewright_benchmarks.accuracy._metric import Metric, Scores
from edgewright_benchmarks.accuracy._scoring import NO_DROP, Scoring

__all__ = ["NO_DROP", "Metric", "Scores", "Scoring", "column_from_scores"]
