"""Any number of labels for each text."""

from __future__ import annotations

from edgewright_compiler.checkpoints.heads import several_labels
from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.tasks._classes import scored
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="multi-label-text-classification",
    model="AutoModelForSequenceClassification",
    outputs=("logits",),
    processor=TEXT,
    answer_of=scored,
    output_name="scored_labels",
    labelled=True,
    check=several_labels,
    narrows="text-classification",
    fits=lambda head: head.is_multi_label,
)
