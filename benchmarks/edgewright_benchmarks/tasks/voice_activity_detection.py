"""Where somebody speaks in a recording."""

from __future__ import annotations

from edgewright_benchmarks.accuracy.voice import LabelledVoice, VoiceAgreement
from edgewright_benchmarks.tasks._task import SOUNDS, Task
from edgewright_benchmarks.truth.ground_truth import SEGMENTS

TASK = Task("voice-activity-detection", SEGMENTS, LabelledVoice(), VoiceAgreement(), suspects=SOUNDS)
