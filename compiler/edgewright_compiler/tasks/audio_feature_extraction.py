"""A vector for each recording: who speaks."""

from __future__ import annotations

from edgewright_compiler.processors.audio import AUDIO
from edgewright_compiler.tasks._task import Task
from edgewright_compiler.tasks._vectors import vector

TASK = Task(
    name="audio-feature-extraction",
    heads=("ForXVector",),
    model="AutoModelForAudioXVector",
    outputs=("embeddings",),
    processor=AUDIO,
    answer=vector,
    output_name="vector",
)
