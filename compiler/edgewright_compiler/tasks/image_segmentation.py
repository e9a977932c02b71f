"""A class for each pixel of a picture."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_compiler.processors.image import IMAGE
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import StepSpec


def _segment(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    return (StepSpec("segment_image", {"logits": outputs[0]}),)


TASK = Task(
    name="image-segmentation",
    heads=("ForSemanticSegmentation",),
    model="AutoModelForSemanticSegmentation",
    outputs=("logits",),
    processor=IMAGE,
    answer=_segment,
    output_name="segmentation",
    labelled=True,
)
