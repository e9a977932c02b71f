"""What an image shows, in words: captions, and what is written in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors.image_text import image_part
from edgewright_compiler.processors.text_line import line_kind
from edgewright_compiler.tasks._blip import limit_answer, writing_part
from edgewright_compiler.tasks._task import Exporter, Task
from edgewright_compiler.tasks._writing import WritingModel

_BLIP = "BlipForConditionalGeneration"
_PAIR = "VisionEncoderDecoderModel"
_TEXT = "generated_text"


def _open(task: Task, checkpoint: Checkpoint) -> Exporter:
    if _PAIR in (checkpoint.config.get("architectures") or []):
        image = image_part(checkpoint, checkpoint.config.get("encoder"))
        return WritingModel(replace(task, model=_PAIR), checkpoint, image, part=_limited)
    image = image_part(checkpoint, checkpoint.config.get("vision_config"))
    return WritingModel(task, checkpoint, image, part=writing_part, asked="prompt")


def _limited(model: Any) -> Any:
    settings = model.generation_config
    limit_answer(settings)
    if settings.decoder_start_token_id is None:
        settings.decoder_start_token_id = model.config.decoder_start_token_id
    return model


TASK = Task(
    name="image-to-text",
    heads=(_BLIP, _PAIR),
    model=_BLIP,
    outputs=("logits",),
    processor=line_kind(_TEXT),
    output_name=_TEXT,
    open=_open,
)
