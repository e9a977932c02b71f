"""Ways of scoring, one file each; which task is scored how is in `edgewright_benchmarks.tasks`."""

from __future__ import annotations

from edgewright_benchmarks.accuracy._scorer import Scorer

__all__ = ["Scorer"]
