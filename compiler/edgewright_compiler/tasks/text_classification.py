"""One label for each text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError


def _classify(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    return (StepSpec("classify", {"logits": outputs[0]}),)


def _check(config: dict[str, Any], folder: Path) -> None:
    problem = config.get("problem_type")
    if problem not in (None, "single_label_classification"):
        raise InputError(f"'{folder}': its problem type is '{problem}'; one label for each text is supported.")


TASK = Task(
    name="text-classification",
    heads=("ForSequenceClassification",),
    model="AutoModelForSequenceClassification",
    outputs=("logits",),
    processor=TEXT,
    answer=_classify,
    output_name="labels",
    labelled=True,
    check=_check,
)
