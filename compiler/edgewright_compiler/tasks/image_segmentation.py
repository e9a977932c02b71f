"""A class for each pixel of a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgewright_compiler.checkpoints.heads import Head, two_classes
from edgewright_compiler.processors.image import IMAGE
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import StepSpec


def _segmented(head: Head) -> Callable[[Sequence[str]], tuple[StepSpec, ...]]:
    # It counts where there is one channel for two classes.
    cut: dict[str, object] = {"cut": 0.5} if head.activated == "sigmoid" else {}

    def answer(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        return (StepSpec("segment_image", {"logits": outputs[0], **cut}),)

    return answer


TASK = Task(
    name="image-segmentation",
    heads=("ForSemanticSegmentation",),
    model="AutoModelForSemanticSegmentation",
    outputs=("logits",),
    processor=IMAGE,
    answer_of=_segmented,
    output_name="segmentation",
    labelled=True,
    two_of_one=True,
    check=two_classes,
)
