"""What tasks of labels share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgewright_compiler.heads import Head
from edgewright_runtime.manifest import StepSpec


def classify(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    """From logits to labels."""
    return (StepSpec("classify", {"logits": outputs[0]}),)


def scored(head: Head) -> Callable[[Sequence[str]], tuple[StepSpec, ...]]:
    """From logits to labels, each with a score of its own; for `Task.answer_of`."""
    # Of several labels transformers' pipelines go by what the model was trained for; here the task says it.
    function = head.function if head.function != "softmax" else "sigmoid"

    def answer(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        return (StepSpec("score_labels", {"logits": outputs[0], "function": function}),)

    return answer
