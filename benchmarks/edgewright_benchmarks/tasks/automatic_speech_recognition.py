"""The transcript of a recording."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.transcription import LabelledTranscription, TranscriptAgreement
from edgewright_benchmarks.tasks._task import Task
from edgewright_benchmarks.truth.ground_truth import TRANSCRIPT

TASK = Task(
    "automatic-speech-recognition",
    TRANSCRIPT,
    LabelledTranscription(),
    TranscriptAgreement(),
    suspects="the sampling rate, the vocabulary and the language",
)
