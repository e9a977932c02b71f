"""A question about a document, answered by some of its words: words and boxes are given, nothing is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from edgewright_compiler.processors.layout import LAYOUT, PAGES
from edgewright_compiler.tasks._single_graph import SingleGraph
from edgewright_compiler.tasks._task import Task

if TYPE_CHECKING:
    from edgewright_compiler.checkpoints.checkpoint import Checkpoint
    from edgewright_compiler.processors import ProcessorKind

_CLASSES = ("LayoutLMForQuestionAnswering", "LayoutLMv3ForQuestionAnswering", "LiltForQuestionAnswering")
# Also sees the page.
_SEEING = "layoutlmv3"


def _kind_of(config: Mapping[str, object]) -> ProcessorKind:
    return PAGES if config.get("model_type") == _SEEING else LAYOUT


class DocumentReader(SingleGraph):
    """A model with its own class of transformers: the automatic ones do not know all of them."""

    def __init__(self, task: Task, checkpoint: Checkpoint) -> None:
        names = checkpoint.config.get("architectures") or []
        name = next((one for one in names if one in _CLASSES), task.model)
        super().__init__(replace(task, model=name), checkpoint)


TASK = Task(
    name="document-question-answering",
    heads=_CLASSES,
    model="AutoModelForDocumentQuestionAnswering",
    outputs=("start_logits", "end_logits"),
    processor=LAYOUT,
    kind_of=_kind_of,
    output_name="answer",
    open=DocumentReader,
)
