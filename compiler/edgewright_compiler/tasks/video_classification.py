"""One label for each video."""

from __future__ import annotations

from edgewright_compiler.checkpoints.heads import class_of_several
from edgewright_compiler.processors.video import VIDEO
from edgewright_compiler.tasks._classes import classified
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="video-classification",
    heads=("ForVideoClassification",),
    model="AutoModelForVideoClassification",
    outputs=("logits",),
    processor=VIDEO,
    answer_of=classified,
    output_name="labels",
    labelled=True,
    check=class_of_several,
)
