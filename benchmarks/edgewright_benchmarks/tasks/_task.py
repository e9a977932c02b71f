"""What the meter knows of a task."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.accuracy import Scorer
from edgewright_benchmarks.truth.ground_truth import Truth

# What to look at where a model is wrong, by what it takes.
PICTURES = "the order of the labels, the order of the channels (RGB or BGR), and the scale of the pixels"
SOUNDS = "the order of the labels, the sampling rate, the loudness, and the threshold"
WRITING = "the tokenizer, the languages, and what the training put before an input"


@dataclass(frozen=True)
class Task:
    """A task as the meter sees it.

    Attributes:
        name: As transformers' pipelines spell it, or `arrays`.
        truth: What is right for a sample, and which column of a table has it.
        labelled: Scores answers against what is right.
        unlabelled: Scores them against the float baseline's, where nothing is labelled.
        suspects: What to look at where the float model itself is wrong, after "Look at".
    """

    name: str
    truth: Truth
    labelled: Scorer
    unlabelled: Scorer
    suspects: str = "the order of the labels, and how an input is prepared for the model"

    def scorer(self, *, labelled: bool) -> Scorer:
        """The scorer for samples with what is right, or without."""
        return self.labelled if labelled else self.unlabelled
