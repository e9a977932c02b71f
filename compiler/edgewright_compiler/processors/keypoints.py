"""Image processors of models that find the keypoints of one thing: a box of the picture, or all of it.

Detectors whose boxes have points are described as other detectors are, by `detector.json` or by their own metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import folder_beside
from edgewright_compiler.processors.detection import detector_beside
from edgewright_compiler.processors.detector_heads import read_settings
from edgewright_compiler.processors.detector_settings import SETTINGS_FILE, DetectorProcessor
from edgewright_compiler.processors.image import (
    IMAGE,
    INPUT,
    PROCESSOR_FILE,
    ImageProcessor,
    from_settings,
    images_beside,
)
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps.image.region import box_of
from edgewright_targets import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from edgewright_compiler.processors import Processor
    from edgewright_compiler.processors.detector_heads import DetectorSettings
    from edgewright_runtime.wire import Arrays

_OUTPUT = "heatmaps"
# What `post_process_pose_estimation` supposes, whatever the settings say.
_UNIT = 200.0


class KeypointProcessor(ImageProcessor):
    """The image processor of ViTPose and of others that take one thing and give heatmaps.

    Raises:
        InputError: It cannot be loaded, or has a step that cannot be reproduced.
    """

    def _settle(self, processor: Any) -> Any:
        """The processor as one of whole pictures, so that its steps are compared as those of others are."""
        name = type(processor).__name__.removesuffix("Pil")
        if name != "VitPoseImageProcessor":
            raise InputError(
                f"'{self._name}': the image processor {name} does not cut a thing out of a picture, as models of "
                "keypoints need it.",
                hint="Supported: VitPoseImageProcessor.",
            )
        if not processor.do_affine_transform or processor.normalize_factor != _UNIT:
            raise InputError(
                f"'{self._name}': its image processor has do_affine_transform = {processor.do_affine_transform} and "
                f"normalize_factor = {processor.normalize_factor:g}; supported are true and {_UNIT:g}."
            )
        return _WholePictures(processor)

    def _input_size(self) -> tuple[int, int] | None:
        (crop,) = (step for step in self._steps if step.step == "crop_box")
        return int(crop.options["height"]), int(crop.options["width"])

    def feeds(self, sample: Any) -> Arrays:
        """The pixels of a box, or of a whole picture, as the source's own code computes them."""
        picture, box = (sample["image"], sample.get("box")) if isinstance(sample, dict) else (sample, None)
        image = self._opened(picture)
        made = self._processor.of_box(image, box_of(box, (image.height, image.width)), return_tensors="np")
        return {INPUT: made[INPUT].astype("float32", copy=False)}

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The step from the graph's output to the prediction."""
        heatmaps = _OUTPUT if _OUTPUT in outputs else outputs[0]
        return (StepSpec("read_keypoints", {"heatmaps": heatmaps}),)


class _WholePictures:
    """A processor of boxes on whole pictures."""

    def __init__(self, processor: Any) -> None:
        self.whole = processor

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def __call__(self, image: Any, **options: Any) -> Any:
        """What it makes of a whole picture."""
        return self.of_box(image, (0.0, 0.0, float(image.width), float(image.height)), **options)

    def of_box(self, image: Any, box: Sequence[float], **options: Any) -> Any:
        """What it makes of a box of a picture."""
        return self.whole(image, boxes=[[list(box)]], **options)


class PoseDetectorProcessor(DetectorProcessor):
    """A detector whose boxes have points; the labels are the names of the points.

    Raises:
        InputError: A setting is one that no step takes, or there are no points.
    """

    input_name = "image"

    def __init__(self, settings: DetectorSettings, place: str) -> None:
        if not settings.keypoints:
            raise InputError(
                f"{place}: the detector has no keypoints.",
                hint=f'Say how many points each box has in {SETTINGS_FILE}: {{"head": "anchors", "keypoints": 17}}.',
            )
        super().__init__(settings, place)
        self._where = place

    def take_labels(self, labels: Sequence[str]) -> None:
        """Take the names of the points.

        Raises:
            InputError: There are more or fewer than points.
        """
        if len(labels) != self.settings.keypoints:
            raise InputError(
                f"{self._where}: the detector has {self.settings.keypoints} keypoints, and there are {len(labels)} "
                "labels.",
                hint="Pass the names of the keypoints with --labels FILE, one per line.",
            )

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from the graph's outputs to the prediction."""
        *before, named = super().answer(outputs)
        return (*before, replace(named, step="name_poses"))


def _beside(path: Path, task: str) -> Processor:
    if not (path.parent / SETTINGS_FILE).is_file() and (folder_beside(path) / PROCESSOR_FILE).is_file():
        return KeypointProcessor(images_beside(path, task))
    found = detector_beside(path)
    if found is None:
        raise InputError(
            f"'{path}': there is neither a {PROCESSOR_FILE} nor a {SETTINGS_FILE} beside the file, which describes its "
            "inputs and outputs.",
            hint="For heatmaps write the settings of a VitPoseImageProcessor into the first, for a detector with "
            "keypoints those of docs/detection.md into the second.",
        )
    return PoseDetectorProcessor(found[0], f"'{path}'")


def _from_settings(settings: Mapping[str, object] | None, feeds: Mapping[str, object], where: str) -> Processor:
    if settings is None or "head" not in settings:
        return from_settings(settings, feeds, where, KeypointProcessor)
    return PoseDetectorProcessor(read_settings(settings, f"'{where}'"), f"'{where}'")


KEYPOINTS = replace(
    IMAGE,
    input_name="image+box",
    from_checkpoint=KeypointProcessor,
    beside=_beside,
    files=(*IMAGE.files, SETTINGS_FILE),
    from_settings=_from_settings,
)
