"""What the meter knows of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgewright_benchmarks.accuracy import Metric
from edgewright_benchmarks.truth.ground_truth import Truth

# What to look at where a model is wrong, by what it takes.
PICTURES = "the order of the labels, the order of the channels (RGB or BGR), and the scale of the pixels"
SOUNDS = "the order of the labels, the sampling rate, the loudness, and the threshold"
TABLES = "the order of the columns and of the classes, their units, and what a missing value is written as"
WRITING = "the tokenizer, the languages, and the prefix that training put before an input"


@dataclass(frozen=True)
class Task:
    """A task as the meter sees it.

    Attributes:
        name: As transformers' pipelines spell it, or `arrays`.
        truth: Ground truth of a sample, and which column of a table has it.
        labelled: Measures predictions against the ground truth.
        unlabelled: Measures them against the float baseline's, where nothing is labelled.
        suspects: What to look at where the float model itself is wrong, after "Check".
    """

    name: str
    truth: Truth
    labelled: Metric[Any]
    unlabelled: Metric[Any]
    suspects: str = "the order of the labels, and how an input is prepared for the model"

    def metric(self, *, labelled: bool) -> Metric[Any]:
        """The metric for samples with ground truth, or without."""
        return self.labelled if labelled else self.unlabelled
