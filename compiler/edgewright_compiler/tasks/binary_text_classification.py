"""One of two classes for each text, from one score."""

from __future__ import annotations

from edgewright_compiler.checkpoints.heads import one_score
from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.tasks._classes import scored
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="binary-text-classification",
    model="AutoModelForSequenceClassification",
    outputs=("logits",),
    processor=TEXT,
    answer_of=scored,
    output_name="scored_labels",
    labelled=True,
    two_of_one=True,
    default_labels=("LABEL_0",),
    check=one_score,
    narrows="text-classification",
    fits=lambda head: head.is_binary,
)
