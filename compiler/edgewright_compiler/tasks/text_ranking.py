"""Passages in the order in which they answer a query: cross-encoders of sentence-transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from edgewright_compiler.checkpoints.heads import Head, head_of, one_score
from edgewright_compiler.processors.passages import PASSAGES
from edgewright_compiler.tasks._task import Task
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

# What sentence-transformers calls the function that makes scores, and the step: without one it takes a sigmoid.
_FUNCTIONS = {"": "sigmoid", "Sigmoid": "sigmoid", "Identity": "none"}


def _ranked(head: Head) -> Callable[[Sequence[str]], tuple[StepSpec, ...]]:
    function = "none" if head.activated else _FUNCTIONS[head.cross_encoder or ""]

    def answer(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        return (StepSpec("rank_passages", {"logits": outputs[0], "function": function}),)

    return answer


def _check(config: dict[str, object], folder: Path) -> None:
    one_score(config, folder)
    function = head_of(config).cross_encoder or ""
    if function not in _FUNCTIONS:
        raise InputError(
            f"'{folder}': its scoring function is '{function}'; supported: {', '.join(filter(None, _FUNCTIONS))}."
        )
    own = config.get("sentence_transformers")
    if isinstance(own, Mapping) and (prompt := own.get("default_prompt_name")):
        raise InputError(f"'{folder}': it puts the prompt '{prompt}' before its queries, which is not supported.")


TASK = Task(
    name="text-ranking",
    model="AutoModelForSequenceClassification",
    outputs=("logits",),
    processor=PASSAGES,
    answer_of=_ranked,
    output_name="ranking",
    check=_check,
    narrows="text-classification",
    fits=lambda head: head.cross_encoder is not None and head.is_number,
)
