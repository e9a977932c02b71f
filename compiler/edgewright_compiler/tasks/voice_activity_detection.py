"""Where somebody speaks in a recording, by a graph that hears it frame by frame."""

from __future__ import annotations

from edgewright_compiler.processors.voice import VOICE
from edgewright_compiler.tasks._task import Task

TASK = Task(name="voice-activity-detection", processor=VOICE, output_name="segments")
