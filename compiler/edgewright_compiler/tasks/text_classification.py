"""One label for each text."""

from __future__ import annotations

from edgewright_compiler.checkpoints.heads import class_of_several
from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.tasks._classes import classified
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="text-classification",
    heads=("ForSequenceClassification",),
    model="AutoModelForSequenceClassification",
    outputs=("logits",),
    processor=TEXT,
    answer_of=classified,
    output_name="labels",
    labelled=True,
    check=class_of_several,
)
