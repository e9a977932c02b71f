"""Texts to texts: what translation and summaries share."""

from __future__ import annotations

from edgewright_compiler.checkpoint import Checkpoint
from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.tasks._task import Exporter, Task
from edgewright_compiler.tasks._writing import WritingModel


def _open(task: Task, checkpoint: Checkpoint) -> Exporter:
    return WritingModel(task, checkpoint)


def text_to_text(name: str, heads: tuple[str, ...], output_name: str) -> Task:
    """A task of models with an encoder and a decoder for texts."""
    return Task(
        name=name,
        heads=heads,
        model="AutoModelForSeq2SeqLM",
        outputs=("logits",),
        processor=TEXT,
        output_name=output_name,
        open=_open,
    )
