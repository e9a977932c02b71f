"""Images and texts together: the image processor and the tokenizer of one checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors import ProcessorKind, needs_checkpoint
from edgewright_compiler.processors.image import IMAGE, ImageProcessor
from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.processors.tokenizer import CheckpointTokenizer
from edgewright_runtime.manifest import StepSpec

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
        options: dict[str, object] = {"padding": "max_length"} if padded else {}
        super().__init__(dataclasses.replace(checkpoint, config=config.to_dict()), **options)
        self._padded = padded
        self.check_size(int(config.vocab_size))

    def example(self) -> dict[str, Any]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        made = super().example()
        if not self._padded:
            return made
        return self._made(["a first example", "and a second one"], return_tensors="pt")

    def axes(self, feeds: Mapping[str, Any]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        axes = super().axes(feeds)
        return {name: {0: found[0]} if self._padded else found for name, found in axes.items()}

    def feeds(self, sample: Any) -> Arrays:
        """The tokens of `sample`: one text, or several that are padded to one length."""
        texts = [sample] if isinstance(sample, str) else list(sample)
        return self._made(texts, return_tensors="np", padding=self._options.get("padding", True))


def _check(folder: Path) -> None:
    IMAGE.check(folder)
    TEXT.check(folder)


def image_part(checkpoint: Checkpoint, config: Mapping[str, object] | None) -> ImageProcessor:
    """The image processor of a checkpoint whose part for images has the configuration `config`."""
    return ImageProcessor(Checkpoint(checkpoint.folder, dict(config or {}), ()))


def _image_alone(checkpoint: Checkpoint) -> ImageProcessor:
    return ImageProcessor(checkpoint)


def image_text_kind(input_name: str) -> ProcessorKind:
    """The kind for tasks that take `input_name`; such a task makes its steps itself."""
    tools = (*IMAGE.tools, *TEXT.tools)
    return ProcessorKind(
        input_name=input_name,
        tools=tools,
        check=_check,
        from_checkpoint=_image_alone,
        beside=needs_checkpoint,
        files=(*IMAGE.files, *TEXT.files),
    )


class ImageAndText:
    """An image and a text, each by its own processor; see `Processor`.

    Args:
        image: Of the images.
        text: Of the texts.
        text_name: What the text is called in a sample.
        wired: Input of the graph to the name that the tokenizer has for it, where the two differ.
        padded: Whether an engine may have texts padded.
    """

    def __init__(
        self,
        image: ImageProcessor,
        text: CheckpointTokenizer,
        text_name: str,
        *,
        wired: Mapping[str, str] | None = None,
        padded: bool = True,
    ) -> None:
        self._image = image
        self._text = text
        self._text_name = text_name
        self._wired = dict(wired or {})
        self._padded = padded

    def example(self) -> dict[str, Any]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        return {**self._image.example(), **self._renamed(self._text.example())}

    def axes(self, feeds: Mapping[str, Any]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        images = self._image.axes({name: value for name, value in feeds.items() if value.ndim == 4})
        return images | self._text.axes({name: value for name, value in feeds.items() if name not in images})

    def feeds(self, sample: Any) -> Arrays:
        """The graph's inputs for one sample, as the source's own code computes them."""
        return {**self._image.feeds(sample["image"]), **self._renamed(self._text.feeds(sample[self._text_name]))}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        pixels = [name for name in self._image.example() if name in inputs]
        tokens = [self._wired.get(name, name) for name in inputs if name not in pixels]
        (tokenize,) = self._text.steps(tokens)
        options = {"padded": self._padded, **tokenize.options, "text": self._text_name}
        # The tokenizer first: nothing is computed for an image whose text is not valid.
        return (StepSpec(tokenize.step, options), *self._image.steps(pixels))

    def keep(self, folder: Path) -> None:
        """Nothing: the tokenizer is kept by whoever else needs it, such as the decoder of an answer."""

    def _renamed(self, made: Mapping[str, object]) -> dict[str, Any]:
        names = {theirs: ours for ours, theirs in self._wired.items()}
        wanted = names or dict.fromkeys(("input_ids", "attention_mask"))
        return {names.get(name, name): value for name, value in made.items() if name in wanted}
