"""Which of some labels fits a text; the labels are named when it is asked. Models of natural language inference."""

from __future__ import annotations

from pathlib import Path

from edgewright_compiler.processors.hypotheses import HYPOTHESES, entailment_of
from edgewright_compiler.tasks._task import Task


def _check(config: dict[str, object], folder: Path) -> None:
    entailment_of(config, folder)


TASK = Task(
    name="zero-shot-classification",
    model="AutoModelForSequenceClassification",
    outputs=("logits",),
    processor=HYPOTHESES,
    output_name="labels",
    labelled=True,
    own_labels=False,
    check=_check,
)
