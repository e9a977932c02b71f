"""A text in fewer words."""

from __future__ import annotations

from edgewright_compiler.checkpoints.exported_names import ENCODER_DECODERS
from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.tasks._task import Task
from edgewright_compiler.tasks._text_to_text import CLASS, open_text_to_text

TASK = Task(
    name="summarization",
    heads=("BartForConditionalGeneration",),
    model=CLASS,
    outputs=("logits",),
    processor=TEXT,
    output_name="summary_text",
    open=open_text_to_text,
    of_graphs=ENCODER_DECODERS,
)
