"""How far away each pixel of a picture is."""

from __future__ import annotations

from edgewright_compiler.processors.depth import DEPTH
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="depth-estimation",
    heads=("ForDepthEstimation",),
    model="AutoModelForDepthEstimation",
    outputs=("predicted_depth",),
    processor=DEPTH,
    output_name="depth",
)
