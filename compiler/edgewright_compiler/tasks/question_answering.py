"""A question about a text, answered by a part of the text."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_compiler.processors.question import QUESTION
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import StepSpec

# As transformers' example for question answering.
_LONGEST_ANSWER = 30


def _find(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    # Graphs of other makers call them as they like, and may have others between them.
    start, end = (
        next((name for name in outputs if word in name.lower()), outputs[place])
        for place, word in enumerate(("start", "end"))
    )
    return (StepSpec("find_answer", {"start": start, "end": end, "longest": _LONGEST_ANSWER}),)


TASK = Task(
    name="question-answering",
    heads=("ForQuestionAnswering",),
    model="AutoModelForQuestionAnswering",
    outputs=("start_logits", "end_logits"),
    processor=QUESTION,
    answer=_find,
    output_name="answer",
)
