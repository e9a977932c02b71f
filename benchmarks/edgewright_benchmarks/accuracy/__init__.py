"""Accuracy by task: one file a way of scoring, one list of which task is scored how.

>>> from edgewright_benchmarks.accuracy import scorer
>>> scorer("text-classification", labelled=True).measure
'accuracy'
"""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.accuracy._scorer import Output, Scorer
from edgewright_benchmarks.accuracy.agreement import SimilarityAgreement, TopClassAgreement
from edgewright_benchmarks.accuracy.classification import LabelledClassification
from edgewright_targets import InputError, nearest

__all__ = ["SCORERS", "Output", "Scorer", "TaskScorers", "scorer"]


@dataclass(frozen=True)
class TaskScorers:
    """How a task is scored where samples are labelled, and where they are not."""

    labelled: Scorer
    unlabelled: Scorer


SCORERS: dict[str, TaskScorers] = {
    "text-classification": TaskScorers(LabelledClassification(), TopClassAgreement()),
    # Feeds that were prepared elsewhere, into a model of any kind.
    "arrays": TaskScorers(LabelledClassification(), SimilarityAgreement()),
}


def scorer(task: str, *, labelled: bool) -> Scorer:
    """The scorer of `task`, for samples with labels or without.

    Raises:
        InputError: No such task.
    """
    if task not in SCORERS:
        raise InputError(f"No scorer for the task '{task}'.", hint=nearest(task, SCORERS))
    return SCORERS[task].labelled if labelled else SCORERS[task].unlabelled
