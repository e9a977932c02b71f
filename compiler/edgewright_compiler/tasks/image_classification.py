"""One label for each image."""

from __future__ import annotations

from edgewright_compiler.checkpoints.heads import class_of_several
from edgewright_compiler.processors.image import IMAGE
from edgewright_compiler.tasks._classes import classified
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="image-classification",
    heads=("ForImageClassification",),
    model="AutoModelForImageClassification",
    outputs=("logits",),
    processor=IMAGE,
    answer_of=classified,
    output_name="labels",
    labelled=True,
    check=class_of_several,
)
