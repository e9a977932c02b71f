"""What tasks of labels share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgewright_compiler.checkpoints.heads import Head
from edgewright_runtime.manifest import StepSpec


def classified(head: Head) -> Callable[[Sequence[str]], tuple[StepSpec, ...]]:
    """From logits, or scores that a graph has made of them itself, to labels; for `Task.answer_of`."""
    made: dict[str, object] = {"function": "none"} if head.activated else {}

    def answer(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        return (StepSpec("classify", {"logits": outputs[0], **made}),)

    return answer


def scored(head: Head) -> Callable[[Sequence[str]], tuple[StepSpec, ...]]:
    """From logits to labels, each with a score of its own; for `Task.answer_of`."""
    # Of several labels transformers' pipelines go by what the model was trained for; here the task says it.
    function = head.function if head.function != "softmax" else "sigmoid"

    def answer(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        return (StepSpec("score_labels", {"logits": outputs[0], "function": function}),)

    return answer
