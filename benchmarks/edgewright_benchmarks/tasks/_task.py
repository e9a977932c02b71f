"""What the meter knows of a task."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.accuracy import Scorer
from edgewright_benchmarks.truth import Truth


@dataclass(frozen=True)
class Task:
    """A task as the meter sees it.

    Attributes:
        name: As transformers' pipelines spell it, or `arrays`.
        truth: What is right for a sample, and which column of a table has it.
        labelled: Scores answers against what is right.
        unlabelled: Scores them against the float baseline's, where nothing is labelled.
    """

    name: str
    truth: Truth
    labelled: Scorer
    unlabelled: Scorer

    def scorer(self, *, labelled: bool) -> Scorer:
        """The scorer for samples with what is right, or without."""
        return self.labelled if labelled else self.unlabelled
