"""Image processors of models that make a picture from a picture: what comes out has the scale of what goes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from edgewright_compiler.processors._image_steps import fixed_size
from edgewright_compiler.processors.image import IMAGE, ImageProcessor, from_settings, images_beside
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from edgewright_compiler.processors import Processor


class RestoringProcessor(ImageProcessor):
    """The image processor of a model that gives pixels in the scale in which it takes them.

    Raises:
        InputError: It cannot be loaded, has a step that cannot be reproduced, or a scale for each channel.
    """

    def _input_size(self) -> tuple[int, int] | None:
        sized = any(step.step in ("resize_image", "crop_image") for step in self._steps)
        return fixed_size(self._steps, self._name) if sized else None

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The step from the graph's output to the picture.

        Raises:
            InputError: Black or white differs from channel to channel, or is not the lower one; or red and blue are
                swapped.
        """
        if self._steps[-1].options.get("order") == "BGR":
            raise InputError(
                f"'{self._name}': its image processor swaps red and blue (do_flip_channel_order), so that the order of "
                "its output is unknown.",
                hint="Swap them inside the model, before and after it, and set do_flip_channel_order to false.",
            )
        black, white = (self._value_of(level) for level in (0, 255))
        if not black < white:
            raise InputError(
                f"'{self._name}': its image processor makes {black:g} of black and {white:g} of white; white must be "
                "larger.",
                hint="Set rescale_factor and image_std to numbers above 0.",
            )
        return (StepSpec("to_picture", {"output": outputs[0], "low": black, "high": white}),)

    def _value_of(self, level: int) -> float:
        """What the model is given for a level of 256."""
        pixel = np.full((1, 1, 3) if self._channels == 3 else (1, 1), level, np.uint8)
        last = make_free_step(self._steps[-1])
        decoded = make_free_step(self._steps[0])({"image": pixel})
        values = last(decoded)["pixel_values"].reshape(-1)
        if np.ptp(values):
            raise InputError(
                f"'{self._name}': its image processor has a mean or a deviation for each channel, so that the scale of "
                "its output is unknown.",
                hint="Set image_mean and image_std to the same value for all channels, or do_normalize to false.",
            )
        return float(values[0])


def _no_checkpoint(folder: Path) -> NoReturn:
    raise InputError(
        f"'{folder}': models that make a picture from a picture cannot be built from a checkpoint of transformers.",
        hint="Build it from an .onnx file, or from package.module:function that returns the torch module.",
    )


def _beside(path: Path, task: str) -> Processor:
    return RestoringProcessor(images_beside(path, task))


def _from_settings(settings: Mapping[str, object] | None, feeds: Mapping[str, object], where: str) -> Processor:
    return from_settings(settings, feeds, where, RestoringProcessor)


RESTORING = replace(
    IMAGE,
    check=_no_checkpoint,
    from_checkpoint=lambda checkpoint: _no_checkpoint(checkpoint.folder),
    beside=_beside,
    from_settings=_from_settings,
)
