"""Any number of labels for each image."""

from __future__ import annotations

from edgewright_compiler.checkpoints.heads import several_labels
from edgewright_compiler.processors.image import IMAGE
from edgewright_compiler.tasks._classes import scored
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="multi-label-image-classification",
    model="AutoModelForImageClassification",
    outputs=("logits",),
    processor=IMAGE,
    answer_of=scored,
    output_name="scored_labels",
    labelled=True,
    check=several_labels,
    narrows="image-classification",
    fits=lambda head: head.is_multi_label,
)
