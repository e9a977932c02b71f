"""A label for each word of a text: names, slots, parts of speech."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_compiler.checkpoints.heads import two_classes
from edgewright_compiler.processors.tagger import TAGGED
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import StepSpec


def _tag(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    return (StepSpec("tag_words", {"logits": outputs[0]}),)


TASK = Task(
    name="token-classification",
    heads=("ForTokenClassification",),
    model="AutoModelForTokenClassification",
    outputs=("logits",),
    processor=TAGGED,
    answer=_tag,
    output_name="entities",
    labelled=True,
    check=two_classes,
)
