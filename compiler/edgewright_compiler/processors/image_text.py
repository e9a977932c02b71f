"""Images and texts together: the image processor and the tokenizer of one checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoint import Checkpoint
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.image import IMAGE, ImageProcessor
from edgewright_compiler.processors.text import TEXT, CheckpointTokenizer
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


class TextOfImages(CheckpointTokenizer):
    """The tokenizer beside an image model.

    Args:
        checkpoint: The folder.
        config: The configuration of the model's part for texts.
        padded: Every text is padded to the longest that the model takes, as SigLIP was trained.

    Raises:
        InputError: It cannot be loaded, or has more tokens than the model.
    """

    def __init__(self, checkpoint: Checkpoint, config: Any, *, padded: bool = False) -> None:
        super().__init__(dataclasses.replace(checkpoint, config=config.to_dict()))
        self._options: dict[str, Any] = {"padding": "max_length"} if padded else {}
        self._padded = padded
        known = int(config.vocab_size)
        if (found := len(self._tokenizer)) > known:
            raise InputError(
                f"'{checkpoint.folder}': its tokenizer has {found} tokens and its model {known}: they do not belong "
                "together.",
                hint="Save the tokenizer that the model was trained with into the folder.",
            )

    def example(self) -> dict[str, Any]:
        """See `Processor`."""
        made = super().example()
        if not self._padded:
            return made
        return self._made(["a first example", "and a second one"], return_tensors="pt", **self._options)

    def axes(self, feeds: Mapping[str, Any]) -> dict[str, dict[int, Any]]:
        """See `Processor`."""
        axes = super().axes(feeds)
        return {name: {0: found[0]} if self._padded else found for name, found in axes.items()}

    def feeds(self, sample: Any) -> Arrays:
        """See `Processor`; `sample` is a text or several, which are padded to one length."""
        texts = [sample] if isinstance(sample, str) else list(sample)
        return self._made(texts, return_tensors="np", **({"padding": True} | self._options))


def _check(folder: Path) -> None:
    IMAGE.check(folder)
    TEXT.check(folder)


def _image_alone(checkpoint: Checkpoint) -> ImageProcessor:
    return ImageProcessor(checkpoint)


def _beside(path: Path, task: str) -> ImageProcessor:
    raise InputError(f"'{path}': the task {task} needs a checkpoint folder; an ONNX file cannot be built for it yet.")


def image_text_kind(input_name: str) -> ProcessorKind:
    """The kind for tasks that take `input_name`; such a task makes its steps itself."""
    tools = (*IMAGE.tools, *TEXT.tools)
    return ProcessorKind(input_name, tools, _check, _image_alone, _beside, (*IMAGE.files, *TEXT.files))
