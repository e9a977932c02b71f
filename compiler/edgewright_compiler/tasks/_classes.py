"""What tasks of one label for each sample share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError


def classify(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    """From logits to labels."""
    return (StepSpec("classify", {"logits": outputs[0]}),)


def one_label_only(config: dict[str, Any], folder: Path) -> None:
    """Raise where a model was trained to give several labels at once, or a number."""
    problem = config.get("problem_type")
    if problem not in (None, "single_label_classification"):
        raise InputError(f"'{folder}': its problem type is '{problem}'; one label for each sample is supported.")
