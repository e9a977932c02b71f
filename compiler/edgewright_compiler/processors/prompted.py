"""The processor of SAM: a picture with a border, and the points and the box by which a person says what is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgewright_compiler.processors import needs_checkpoint
from edgewright_compiler.processors.image import IMAGE, INPUT, ImageProcessor
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.image.region import box_of
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_compiler.checkpoints.checkpoint import Checkpoint
    from edgewright_runtime.wire import Arrays

POINTS, LABELS, MASKS, SCORES = "input_points", "input_labels", "pred_masks", "iou_scores"
# Of an example for the exporter: a point and the two corners of a box.
_EXAMPLE_POINTS = 3


class PromptedProcessor(ImageProcessor):
    """The image processor of SAM with the prompts of its `SamProcessor`.

    Args:
        checkpoint: The folder.
        boxes: Whether the graph takes the corners of a box as points.

    Raises:
        InputError: It cannot be loaded, or has a step that cannot be reproduced.
    """

    def __init__(self, checkpoint: Checkpoint, *, boxes: bool = True) -> None:
        self._boxes = boxes
        super().__init__(checkpoint)
        prompt = StepSpec("prompt_points", {"points": POINTS, "labels": LABELS, "boxes": boxes})
        self._prompt = make_free_step(prompt)
        self._prompt_step = prompt

    def _settle(self, processor: Any) -> Any:
        """The processor without its border, which is added behind the other steps."""
        name = type(processor).__name__.removesuffix("Pil")
        if name != "SamImageProcessor":
            raise InputError(
                f"'{self._name}': the image processor {name} is not supported for masks of what a person points at.",
                hint="Supported: SamImageProcessor.",
            )
        edge, border = processor.size.longest_edge, processor.pad_size
        if not processor.do_resize or not processor.do_pad or not edge == border.height == border.width:
            raise InputError(
                f"'{self._name}': its image processor does not bring pictures to a square (do_resize, do_pad, and a "
                "pad_size that is the longest edge), which is how SAM takes them."
            )
        return _WithoutBorder(processor)

    def _input_size(self) -> tuple[int, int] | None:
        border = self._processor.whole.pad_size
        return int(border.height), int(border.width)

    def prompt_example(self) -> dict[str, object]:
        """Torch tensors of prompts for the exporter."""
        import torch

        points = torch.zeros(1, 1, _EXAMPLE_POINTS, 2)
        return {POINTS: points, LABELS: torch.tensor([[[1, 2, 3]]])}

    def feeds(self, sample: Any) -> Arrays:
        """What the source's own processor makes of a sample, as its `SamModel` takes it; torch makes tensors of it."""
        from transformers import SamProcessor

        image = self._opened(sample["image"])
        points, box = sample.get("points"), sample.get("box")
        # What is wrong with a prompt is said in words.
        self._prompt({"image_size": (image.height, image.width), "points": points, "box": box})
        given: dict[str, list[Any]] = {}
        if points is not None:
            given["input_points"] = [[list(point[:2]) for point in points]]
            given["input_labels"] = [[int(point[2]) if len(point) > 2 else 1 for point in points]]
        if box is not None:
            left, top, width, height = box_of(box, (image.height, image.width))
            given["input_boxes"] = [[[left, top, left + width, top + height]]]
        whole: Any = SamProcessor
        made = whole(self._processor.whole)(image, return_tensors="pt", **given)
        named = {INPUT: made[INPUT], **{name: made[name] for name in given}}
        tensors = {name: value.float() if value.is_floating_point() else value for name, value in named.items()}
        return {name: value.numpy() for name, value in tensors.items()}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the inputs of both graphs; `inputs` is that of the first."""
        decode, fit, normalize = super().steps(inputs)
        assert self._size is not None, "the border is always added"
        height, width = self._size
        pad = StepSpec("pad_array", {"array": inputs[0], "height": height, "width": width})
        # The prompt first: nothing is computed for a picture of which nobody says what is meant.
        return (decode, fit, self._prompt_step, normalize, pad)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The step from the outputs of the second graph to the prediction."""
        assert self._size is not None, "the border is always added"
        height, width = self._size
        masks, scores = (name if name in outputs else outputs[at] for at, name in enumerate((MASKS, SCORES)))
        return (StepSpec("read_masks", {"masks": masks, "scores": scores, "height": height, "width": width}),)


class _WithoutBorder:
    """A processor that adds no border."""

    do_pad = False

    def __init__(self, processor: Any) -> None:
        self.whole = processor

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def __call__(self, image: Any, **options: Any) -> Any:
        """What it makes of an image before the border."""
        return self.whole(image, do_pad=False, **options)


PROMPTED = replace(
    IMAGE,
    input_name="image+points+box",
    from_checkpoint=PromptedProcessor,
    beside=needs_checkpoint,
    from_settings=None,
)
