"""How engines are compared whose answers are boxes: by boxes of all scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgewright_runtime.manifest import ComparisonSpec, StepSpec

# Average precision counts boxes of all scores; below this there is nothing but noise, and a lot of it.
_SCORED_THRESHOLD = 0.001
# Steps that give what a person gets.
_NAMING = ("name_boxes", "name_poses")


def scored_boxes(steps: Sequence[StepSpec], answer: str) -> ComparisonSpec:
    """The same steps with boxes of all scores, those marked that a person would be given.

    Args:
        steps: Of the pipeline.
        answer: The value that they end with.
    """
    scored = []
    for step in steps:
        options = dict(step.options)
        if step.step in _NAMING:
            options["shown"] = options["threshold"]
        if "threshold" in options:
            options["threshold"] = _SCORED_THRESHOLD
        scored.append(replace(step, options=options))
    return ComparisonSpec(tuple(scored), answer)
