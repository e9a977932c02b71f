"""Whether a text belongs to an image, read together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.failures import export_failures
from edgewright_compiler.graphs.exported import ports_of, save_model
from edgewright_compiler.processors.image_text import ImageAndText, TextOfImages, image_part, image_text_kind
from edgewright_compiler.tasks._task import Task
from edgewright_compiler.tasks._wrapped import export_part
from edgewright_runtime.manifest import COMPONENT, PipelineSpec, StepSpec

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

_SCORES, _IMAGE, _TEXT = "itm_score", "image_embeds", "text_embeds"


class _Matching:
    """BLIP for retrieval as one graph: both of its scores; see `Exporter`."""

    def __init__(self, task: Task, checkpoint: Checkpoint) -> None:
        self._task = task
        self._checkpoint = checkpoint
        self._model = checkpoint.load_model(task.model)
        config = self._model.config
        image = image_part(checkpoint, config.vision_config.to_dict())
        self._text = TextOfImages(checkpoint, config.text_config)
        self._front = ImageAndText(image, self._text, "text")

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""
        feeds = self._front.example()
        with export_failures(f"'{self._checkpoint.folder}'"):
            outputs = (_SCORES, _IMAGE, _TEXT)
            graph = export_part(self._model, self._both, feeds, outputs, self._front.axes(feeds))
        self._text.keep(folder)
        names = {"scores": _SCORES, "image": _IMAGE, "text": _TEXT}
        steps = (
            *self._front.steps(ports_of(graph).inputs),
            StepSpec("infer", {"component": COMPONENT}),
            StepSpec("match", names),
        )
        pipeline = PipelineSpec(self._task.input_name, self._task.output_name, steps)
        save_model(folder, {COMPONENT: graph}, pipeline, task=self._task.name, labels=self._checkpoint.labels)

    def _both(self, pixel_values: Any, **tokens: Any) -> Any:
        """As its `forward` with and without the head for pairs, the image read once."""
        from torch.nn.functional import normalize

        model = self._model
        seen = model.vision_model(pixel_values=pixel_values).last_hidden_state
        both = model.text_encoder(**tokens, encoder_hidden_states=seen).last_hidden_state
        alone = model.text_encoder(**tokens).last_hidden_state
        image = normalize(model.vision_proj(seen[:, 0, :]), dim=-1)
        text = normalize(model.text_proj(alone[:, 0, :]), dim=-1)
        return model.itm_head(both[:, 0, :]), image, text

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """The scores for no and yes."""
        import torch

        found = []
        with torch.no_grad():
            for sample in samples:
                feeds = {name: torch.from_numpy(value) for name, value in self._front.feeds(sample).items()}
                found.append({_SCORES: self._model(**feeds).itm_score.numpy()})
        return found


TASK = Task(
    name="image-text-matching",
    heads=("BlipForImageTextRetrieval",),
    model="BlipForImageTextRetrieval",
    outputs=(_SCORES,),
    processor=image_text_kind("image+text"),
    output_name="match",
    labelled=True,
    class_names=("other", "match"),
    open=_Matching,
)
