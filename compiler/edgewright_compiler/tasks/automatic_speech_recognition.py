"""What is said in a recording, by a CTC model."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_compiler.processors.speech import SPEECH, VOCABULARY
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import StepSpec


def _transcribe(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    return (StepSpec("ctc_decode", {"logits": outputs[0], "vocabulary": VOCABULARY}),)


TASK = Task(
    name="automatic-speech-recognition",
    heads=("ForCTC",),
    model="AutoModelForCTC",
    outputs=("logits",),
    processor=SPEECH,
    answer=_transcribe,
    output_name="text",
)
