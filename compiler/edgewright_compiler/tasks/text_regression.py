"""A number for each text, such as how alike or how good something is; models of one label."""

from __future__ import annotations

from edgewright_compiler.checkpoints.heads import one_score
from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.tasks._classes import scored
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="text-regression",
    model="AutoModelForSequenceClassification",
    outputs=("logits",),
    processor=TEXT,
    answer_of=scored,
    output_name="scored_labels",
    labelled=True,
    # As transformers calls the only label.
    default_labels=("LABEL_0",),
    check=one_score,
    narrows="text-classification",
    fits=lambda head: head.is_number,
)
