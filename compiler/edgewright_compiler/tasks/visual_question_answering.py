"""A question about an image, answered in words of the model's own."""

from __future__ import annotations

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors.image_text import ImageAndText, image_part, image_text_kind
from edgewright_compiler.processors.tokenizer import CheckpointTokenizer
from edgewright_compiler.tasks._blip import QUESTION, writing_part
from edgewright_compiler.tasks._task import Exporter, Task
from edgewright_compiler.tasks._writing import WritingModel


def _open(task: Task, checkpoint: Checkpoint) -> Exporter:
    image = image_part(checkpoint, checkpoint.config.get("vision_config"))
    # What is padding of a question BLIP's decoder is not told.
    front = ImageAndText(image, CheckpointTokenizer(checkpoint), "question", wired=QUESTION, padded=False)
    return WritingModel(task, checkpoint, front, part=writing_part, wired=QUESTION)


TASK = Task(
    name="visual-question-answering",
    heads=("BlipForQuestionAnswering",),
    model="BlipForQuestionAnswering",
    outputs=("logits",),
    processor=image_text_kind("image+question"),
    output_name="generated_text",
    open=_open,
)
