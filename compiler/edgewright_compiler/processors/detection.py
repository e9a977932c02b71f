"""Image processors of detectors: pictures keep their proportions, and what becomes of boxes is a matter of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgewright_compiler.processors._image_steps import fixed_size
from edgewright_compiler.processors.image import IMAGE, INPUT, ImageProcessor, checkpoint_beside
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from edgewright_compiler.checkpoint import Checkpoint

# transformers' own default, and the pictures of an export where any size will do: a multiple of all strides there are.
THRESHOLD = 0.5
_EXAMPLE_SIZE = (192, 256)
# How `post_process_object_detection` of each reads the scores; with sigmoid, how many boxes it takes (None: queries).
_SCORES: dict[str, dict[str, Any]] = {
    "DetrImageProcessor": {"scores": "softmax"},
    "YolosImageProcessor": {"scores": "softmax"},
    "ConditionalDetrImageProcessor": {"scores": "sigmoid", "best": 100},
    "DeformableDetrImageProcessor": {"scores": "sigmoid", "best": 100},
    "RTDetrImageProcessor": {"scores": "sigmoid"},
}


class DetectionProcessor(ImageProcessor):
    """The image processor of a checkpoint of DETR's kin.

    Raises:
        InputError: It cannot be loaded, or has a step that cannot be reproduced.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        name = type(self._processor).__name__.removesuffix("Pil")
        if name not in _SCORES:
            raise InputError(
                f"'{checkpoint.name}': how its image processor {name} makes boxes is not known.",
                hint=f"Known are {', '.join(_SCORES)}.",
            )
        self._scores = _SCORES[name]

    def _input_size(self) -> tuple[int, int] | None:
        if any(step.step == "resize_image" for step in self._steps):
            return fixed_size(self._steps, self._name)
        return None

    def example(self) -> dict[str, Any]:
        """One picture: pictures of different sizes are answered one at a time, and so is every picture."""
        import torch

        return {INPUT: torch.zeros(1, self._channels, *(self._size or _EXAMPLE_SIZE))}

    def axes(self, feeds: Mapping[str, Any]) -> dict[str, dict[int, Any]]:
        """See `Processor`."""
        import torch

        free = {} if self._size else {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
        return dict.fromkeys(feeds, free)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """See `AnsweringProcessor`."""
        return queries_to_boxes(outputs, self._scores)


def queries_to_boxes(outputs: Sequence[str], scores: Mapping[str, Any]) -> tuple[StepSpec, ...]:
    """From the outputs of one of DETR's kin to boxes with names."""
    decode = StepSpec("decode_queries", {"logits": outputs[0], "boxes": outputs[-1], **scores})
    return (decode, StepSpec("name_boxes", {"threshold": THRESHOLD}))


def _beside(path: Path, task: str) -> ImageProcessor:
    return DetectionProcessor(checkpoint_beside(path, task))


DETECTION = replace(IMAGE, from_checkpoint=DetectionProcessor, beside=_beside)
