"""The mask of a thing that a person points at."""

from __future__ import annotations

from edgewright_compiler.checkpoints.exported_names import PROMPTED as PROMPTED_FILES
from edgewright_compiler.processors.prompted import MASKS, PROMPTED, SCORES
from edgewright_compiler.tasks._prompted import prompted_model
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="mask-generation",
    heads=("SamModel",),
    model="SamModel",
    outputs=(MASKS, SCORES),
    processor=PROMPTED,
    output_name="masks",
    open=prompted_model,
    of_graphs=(PROMPTED_FILES,),
)
