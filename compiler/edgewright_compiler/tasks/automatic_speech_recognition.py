"""What is said in a recording, by a CTC model or by one that writes it down token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.checkpoints.exported_names import ENCODER_DECODERS
from edgewright_compiler.processors.audio import WHOLE, CheckpointAudio
from edgewright_compiler.processors.speech import SPEECH, VOCABULARY
from edgewright_compiler.tasks._single_graph import SingleGraph
from edgewright_compiler.tasks._task import Exporter, Task
from edgewright_compiler.tasks._transcripts import transcript_settings
from edgewright_compiler.tasks._written_graphs import writing_model
from edgewright_runtime.manifest import StepSpec

_CTC = "ForCTC"


def whisper_prompt(settings: dict[str, Any]) -> list[Any]:
    """The tokens that Whisper's decoder begins with, from its generation settings.

    A model of several languages is told the language, and whether to translate into English. The source detects a
    language that it is not told; here it is English then.
    """
    found: list[Any] = [int(settings["decoder_start_token_id"])]
    languages = settings.get("lang_to_id")
    if settings.get("is_multilingual") and languages:
        named = {str(name).strip("<|>"): token for name, token in languages.items()}
        found.append(_choice("language", named, settings, "en"))
        if settings.get("task_to_id"):
            found.append(_choice("task", settings["task_to_id"], settings, "transcribe"))
    if settings.get("no_timestamps_token_id") is not None:
        found.append(int(settings["no_timestamps_token_id"]))
    return found


def _choice(option: str, tokens: dict[str, int], settings: dict[str, object], usual: str) -> dict[str, object]:
    wanted = str(settings.get(option) or usual).strip("<|>")
    default = wanted if wanted in tokens else next(iter(tokens))
    return {"option": option, "choices": dict(tokens), "default": default}


def _transcribe(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    return (StepSpec("ctc_decode", {"logits": outputs[0], "vocabulary": VOCABULARY}),)


def _open(task: Task, checkpoint: Checkpoint) -> Exporter:
    if any(str(name).endswith(_CTC) for name in checkpoint.config.get("architectures") or []):
        return SingleGraph(task, checkpoint)
    made = replace(task, model="AutoModelForSpeechSeq2Seq")
    heard = transcript_settings(checkpoint)
    front = CheckpointAudio(checkpoint, windows=heard is not None)
    common: dict[str, Any] = {"prompt": whisper_prompt, "generate": {"lstrip": True}}
    if heard is None:
        return writing_model(made, checkpoint, front, **common)

    def ending(_: StepSpec, encode: StepSpec, generate: StepSpec) -> tuple[StepSpec, ...]:
        window = {"encoder": encode.options["component"], "input": front.front.input, "frames": front.frames}
        return (StepSpec("transcribe", {**window, "whole": WHOLE, **heard, "generate": dict(generate.options)}),)

    # What is timed is one window, which is the same work for every engine.
    return writing_model(made, checkpoint, front, ending=ending, call={"timestamps": False}, **common)


TASK = Task(
    name="automatic-speech-recognition",
    heads=(_CTC, "WhisperForConditionalGeneration", "Speech2TextForConditionalGeneration"),
    model="AutoModelForCTC",
    outputs=("logits",),
    processor=SPEECH,
    answer=_transcribe,
    output_name="text",
    open=_open,
    of_graphs=ENCODER_DECODERS,
)
