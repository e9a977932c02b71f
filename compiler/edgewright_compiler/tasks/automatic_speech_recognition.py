"""What is said in a recording, by a CTC model or by one that writes it down token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from edgewright_compiler.checkpoint import Checkpoint
from edgewright_compiler.processors.audio import CheckpointAudio
from edgewright_compiler.processors.speech import SPEECH, VOCABULARY
from edgewright_compiler.tasks._single_graph import SingleGraph
from edgewright_compiler.tasks._task import Exporter, Task
from edgewright_compiler.tasks._writing import WritingModel
from edgewright_runtime.manifest import StepSpec

_CTC = "ForCTC"


def whisper_prompt(settings: dict[str, Any]) -> list[Any]:
    """The tokens that Whisper's decoder begins with, from its generation settings."""
    found = (settings["decoder_start_token_id"], settings.get("no_timestamps_token_id"))
    return [int(token) for token in found if token is not None]


def _transcribe(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    return (StepSpec("ctc_decode", {"logits": outputs[0], "vocabulary": VOCABULARY}),)


def _open(task: Task, checkpoint: Checkpoint) -> Exporter:
    if any(str(name).endswith(_CTC) for name in checkpoint.config.get("architectures") or []):
        return SingleGraph(task, checkpoint)
    made = replace(task, model="AutoModelForSpeechSeq2Seq")
    return WritingModel(made, checkpoint, CheckpointAudio(checkpoint), prompt=whisper_prompt)


TASK = Task(
    name="automatic-speech-recognition",
    heads=(_CTC, "WhisperForConditionalGeneration"),
    model="AutoModelForCTC",
    outputs=("logits",),
    processor=SPEECH,
    answer=_transcribe,
    output_name="text",
    open=_open,
)
