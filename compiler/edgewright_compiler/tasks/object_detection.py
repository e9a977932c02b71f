"""Boxes around the things in an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgewright_compiler.processors.detection import DETECTION, queries_to_boxes
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import ComparisonSpec, StepSpec

# Average precision counts boxes of all scores; below this there is nothing but noise, and a lot of it.
_SCORED_THRESHOLD = 0.001


def _answer(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    return queries_to_boxes(outputs, {"scores": "softmax"})


def _comparison(steps: Sequence[StepSpec]) -> ComparisonSpec:
    """The same steps with boxes of all scores, those marked that a person would be given."""
    scored = []
    for step in steps:
        options = dict(step.options)
        if step.step == "name_boxes":
            options["shown"] = options["threshold"]
        if "threshold" in options:
            options["threshold"] = _SCORED_THRESHOLD
        scored.append(replace(step, options=options))
    return ComparisonSpec(tuple(scored), "boxes")


TASK = Task(
    name="object-detection",
    heads=("ForObjectDetection",),
    model="AutoModelForObjectDetection",
    outputs=("logits", "pred_boxes"),
    processor=DETECTION,
    answer=_answer,
    output_name="boxes",
    labelled=True,
    comparison=_comparison,
)
