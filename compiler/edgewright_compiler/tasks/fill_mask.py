"""What stands behind a mask in a text."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import OFFLINE, Checkpoint
from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.processors.tokenizer import TOKENIZER_URI
from edgewright_compiler.tasks._single_graph import SingleGraph
from edgewright_compiler.tasks._task import Exporter, Task
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


class _MaskedGraph(SingleGraph):
    """A model whose answer is about its masks alone; see `Exporter`."""

    def __init__(self, task: Task, checkpoint: Checkpoint, mask_id: int) -> None:
        super().__init__(task, checkpoint)
        self._mask_id = mask_id

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """The source's logits at the masks of each sample, as the step of the package gives them."""
        found = []
        for sample, answer in zip(samples, super().reference(samples), strict=True):
            ids = self._processor.feeds(sample)["input_ids"][0]
            found.append({"logits": answer["logits"][0][ids == self._mask_id]})
        return found


def _open(task: Task, checkpoint: Checkpoint) -> Exporter:
    from transformers import AutoTokenizer

    tokenizer = checkpoint.loaded(lambda: AutoTokenizer.from_pretrained(checkpoint.folder, **OFFLINE))
    if tokenizer.mask_token is None:
        raise InputError(f"'{checkpoint.folder}': its tokenizer has no mask token.")
    options = {"tokenizer": TOKENIZER_URI, "mask": tokenizer.mask_token}

    def fill(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        return (StepSpec("fill_mask", {"logits": outputs[0], **options}),)

    return _MaskedGraph(dataclasses.replace(task, answer=fill), checkpoint, tokenizer.mask_token_id)


TASK = Task(
    name="fill-mask",
    heads=("ForMaskedLM",),
    model="AutoModelForMaskedLM",
    outputs=("logits",),
    processor=TEXT,
    output_name="tokens",
    open=_open,
)
