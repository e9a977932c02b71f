"""What tasks of vectors share."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_runtime.manifest import StepSpec


def vector(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    """From the first output to a vector; for `Task.answer`."""
    return (StepSpec("to_vector", {"output": outputs[0]}),)
