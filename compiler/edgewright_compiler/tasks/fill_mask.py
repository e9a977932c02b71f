"""What stands behind a mask in a text."""

from __future__ import annotations

from edgewright_compiler.processors.masked import MASKED
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="fill-mask",
    heads=("ForMaskedLM",),
    model="AutoModelForMaskedLM",
    outputs=("logits",),
    processor=MASKED,
    output_name="tokens",
)
