"""Boxes around the things in an image."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_compiler.processors.detection import DETECTION, queries_to_boxes
from edgewright_compiler.tasks._boxes import scored_boxes
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import StepSpec


def _answer(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    return queries_to_boxes(outputs, {"scores": "softmax"})


TASK = Task(
    name="object-detection",
    heads=("ForObjectDetection",),
    model="AutoModelForObjectDetection",
    outputs=("logits", "pred_boxes"),
    processor=DETECTION,
    answer=_answer,
    output_name="boxes",
    labelled=True,
    comparison=lambda steps: scored_boxes(steps, "boxes"),
)
