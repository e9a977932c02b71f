"""Models with a part for images and one for texts, whose vectors can be compared: CLIP, SigLIP and their kin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.failures import export_failures
from edgewright_compiler.graphs.exported import save_model
from edgewright_compiler.processors.image_text import TextOfImages, image_part
from edgewright_compiler.tasks._wrapped import export_part
from edgewright_runtime.manifest import PipelineSpec, StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_compiler.tasks._task import Task
    from edgewright_runtime.wire import Arrays

VISION, TEXT = "vision", "text"
IMAGE_VECTOR, TEXT_VECTOR = "image_embeds", "text_embeds"
# Architectures; the longest name that fits decides, so that AltCLIPModel and ChineseCLIPModel are meant as well.
HEADS = ("CLIPModel", "SiglipModel", "VisionTextDualEncoderModel", "MetaClip2Model")


class DualEncoder(ABC):
    """Two components, `vision` and `text`; see `Exporter`. What becomes of their vectors is the task's own.

    Raises:
        InputError: The checkpoint cannot be loaded, or its parts do not belong together.
    """

    def __init__(self, task: Task, checkpoint: Checkpoint) -> None:
        self._task = task
        self._checkpoint = checkpoint
        self.model = checkpoint.load_model(task.model)
        if not hasattr(self.model, "logit_scale"):
            raise InputError(f"'{checkpoint.folder}': {type(self.model).__name__} has no logit scale.")
        config = self.model.config
        # What pipelines of transformers go by as well.
        self.sigmoid = "siglip" in config.model_type
        self.image = image_part(checkpoint, config.vision_config.to_dict())
        self.text = TextOfImages(checkpoint, config.text_config, padded=self.sigmoid)

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""
        pixels, tokens = self.image.example(), self.text.example()
        with export_failures(f"'{self._checkpoint.folder}'"):
            vision = export_part(self.model, self._vision, pixels, (IMAGE_VECTOR,), self.image.axes(pixels))
            text = export_part(self.model, self._text, tokens, (TEXT_VECTOR,), self.text.axes(tokens))
        self.text.keep(folder)
        pipeline = self.pipeline(tuple(tokens))
        labels = self._checkpoint.labels
        save_model(folder, {VISION: vision, TEXT: text}, pipeline, task=self._task.name, labels=labels)

    @abstractmethod
    def pipeline(self, tokens: Sequence[str]) -> PipelineSpec:
        """The way of a sample, where the part for texts takes `tokens`."""

    @abstractmethod
    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """The source's own outputs for each sample, by output name."""

    def image_steps(self) -> tuple[StepSpec, ...]:
        """From an image to its vector."""
        return (*self.image.steps(("pixel_values",)), StepSpec("infer", {"component": VISION}))

    def whole(self, images: Sequence[Any], texts: Sequence[str]) -> Any:
        """What the model itself answers to these together."""
        import torch

        pixels = np.concatenate([self.image.feeds(image)["pixel_values"] for image in images])
        feeds = {"pixel_values": pixels, **self.text.feeds(texts)}
        with torch.no_grad():
            return self.model(**{name: torch.from_numpy(value) for name, value in feeds.items()})

    def _vision(self, **feeds: Any) -> Any:
        return _unit(self.model.get_image_features(**feeds).pooler_output)

    def _text(self, **feeds: Any) -> Any:
        return _unit(self.model.get_text_features(**feeds).pooler_output)


def _unit(vectors: Any) -> Any:
    return vectors / vectors.norm(p=2, dim=-1, keepdim=True)
