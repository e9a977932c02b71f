"""Image processors of detectors: pictures keep their proportions, and what becomes of boxes is a matter of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import folder_beside, read_json
from edgewright_compiler.processors._image_steps import fixed_size
from edgewright_compiler.processors.detector_heads import read_settings
from edgewright_compiler.processors.detector_settings import SETTINGS_FILE, DetectorProcessor, settings_of_ultralytics
from edgewright_compiler.processors.image import (
    IMAGE,
    INPUT,
    PROCESSOR_FILE,
    ImageProcessor,
    from_settings,
    images_beside,
)
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    from pathlib import Path

    from edgewright_compiler.checkpoints.checkpoint import Checkpoint
    from edgewright_compiler.processors import Processor
    from edgewright_compiler.processors.detector_heads import DetectorSettings

# transformers' own default, and the pictures of an export where any size will do: a multiple of all strides there are.
THRESHOLD = 0.5
_EXAMPLE_SIZE = (192, 256)
# How `post_process_object_detection` of each reads the scores; with sigmoid, how many boxes it takes (None: queries).
_SCORES: dict[str, dict[str, object]] = {
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
                f"'{checkpoint.name}': the boxes of its image processor {name} are not supported.",
                hint=f"Supported: {', '.join(_SCORES)}.",
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

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        import torch

        free = {} if self._size else {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
        return dict.fromkeys(feeds, free)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from the graph's outputs to the prediction."""
        return queries_to_boxes(outputs, self._scores)


def queries_to_boxes(outputs: Sequence[str], scores: Mapping[str, object]) -> tuple[StepSpec, ...]:
    """From the outputs of one of DETR's kin to boxes with names."""
    decode = StepSpec("decode_queries", {"logits": outputs[0], "boxes": outputs[-1], **scores})
    return (decode, StepSpec("name_boxes", {"threshold": THRESHOLD}))


def detector_beside(path: Path) -> tuple[DetectorSettings, tuple[str, ...]] | None:
    """Settings and labels of a detector from the file beside an `.onnx` file, or from its metadata; None without any.

    Raises:
        InputError: The settings are wrong, or the metadata is that of another task.
    """
    settings = path.parent / SETTINGS_FILE
    if settings.is_file():
        return read_settings(read_json(settings), f"'{settings}'"), ()
    with needs("compiler"):
        import onnx_ir
    try:
        return settings_of_ultralytics(onnx_ir.load(path))
    except InputError:
        raise
    except Exception:  # noqa: BLE001 - whatever is wrong with the file is said where it is read
        return None


def _beside(path: Path, task: str) -> Processor:
    if not (path.parent / SETTINGS_FILE).is_file() and (folder_beside(path) / PROCESSOR_FILE).is_file():
        return DetectionProcessor(images_beside(path, task))
    found = detector_beside(path)
    if found is None:
        raise InputError(
            f"'{path}': there is no {SETTINGS_FILE} beside the file, which describes its inputs and outputs.",
            hint='For a YOLO it is {"head": "anchors", "height": 640, "width": 640}; docs/detection.md describes the '
            "others.",
        )
    return DetectorProcessor(found[0], f"'{path}'", found[1])


def _from_settings(settings: Mapping[str, object] | None, feeds: Mapping[str, object], where: str) -> Processor:
    if settings is None or "head" not in settings:
        return from_settings(settings, feeds, where, DetectionProcessor)
    return DetectorProcessor(read_settings(settings, f"'{where}'"), f"'{where}'")


DETECTION = replace(
    IMAGE,
    from_checkpoint=DetectionProcessor,
    beside=_beside,
    files=(*IMAGE.files, SETTINGS_FILE),
    from_settings=_from_settings,
)
