"""One label for each recording: a spoken command, a language, a sound."""

from __future__ import annotations

from edgewright_compiler.checkpoints.heads import class_of_several
from edgewright_compiler.processors.audio import AUDIO
from edgewright_compiler.tasks._classes import classified
from edgewright_compiler.tasks._task import Task

# These classes of transformers are called as those for text are; their whole names tell them apart.
_SPEECH_ENCODERS = (
    "Data2VecAudio", "Hubert", "SEWD", "SEW", "UniSpeech", "UniSpeechSat", "WavLM", "Wav2Vec2", "Wav2Vec2Conformer",
)  # fmt: skip


TASK = Task(
    name="audio-classification",
    heads=("ForAudioClassification", *(f"{encoder}ForSequenceClassification" for encoder in _SPEECH_ENCODERS)),
    model="AutoModelForAudioClassification",
    outputs=("logits",),
    processor=AUDIO,
    answer_of=classified,
    output_name="labels",
    labelled=True,
    check=class_of_several,
)
