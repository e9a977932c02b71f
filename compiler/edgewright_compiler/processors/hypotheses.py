"""Tokenizers of a text with each of several hypotheses about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.passages import PassageTokenizer
from edgewright_compiler.processors.text import TEXT, ComparingBeside
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# As transformers' pipeline.
TEMPLATE = "This example is {}."


class HypothesisTokenizer(PassageTokenizer):
    """The tokenizer of a checkpoint, for pairs of a text and each label of the package; see `PassageTokenizer`."""

    _SHORT: ClassVar[Any] = "where is it?"

    def __init__(self, checkpoint: Checkpoint, **options: Any) -> None:
        self._hypotheses = [TEMPLATE.format(label) for label in checkpoint.labels]
        self._entailment = entailment_of(checkpoint.config, checkpoint.folder)
        super().__init__(checkpoint, **options)

    def feeds(self, sample: Any) -> Arrays:
        """One row per label."""
        return super().feeds({"query": sample, "passages": self._hypotheses})

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """Two steps: the labels become hypotheses, and these and the text tokens."""
        return (StepSpec("pose_hypotheses", {"template": TEMPLATE}), *super().steps(inputs))

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """From the logits of the pairs to the labels."""
        return (StepSpec("weigh_hypotheses", {"logits": outputs[0], "entailment": self._entailment}),)

    def compared(self, feeds: Arrays, outputs: Arrays) -> Arrays:
        """The logits of the labels alone, in one row."""
        del feeds
        return {name: logits[:, self._entailment][None] for name, logits in outputs.items()}


def entailment_of(config: Mapping[str, object], folder: Path) -> int:
    """The class that says that a hypothesis follows: by its name, as transformers' pipeline finds it.

    Raises:
        InputError: None is called so.
    """
    table = config.get("id2label")
    names = {int(index): str(name) for index, name in table.items()} if isinstance(table, Mapping) else {}
    for index, name in names.items():
        if name.lower().startswith("entail"):
            return index
    raise InputError(
        f"'{folder}': none of its classes ({', '.join(names.values()) or 'without names'}) says that a text follows "
        "from another.",
        hint="zero-shot-classification needs a model of natural language inference, with a class 'entailment'.",
    )


class HypothesesBeside(ComparingBeside):
    """The tokenizer beside an ONNX file, for pairs of a text and each label; see `TokenizerBeside`.

    Raises:
        InputError: There is no tokenizer, or no config.json that names a class of entailment.
    """

    _KIND = HypothesisTokenizer

    def __init__(self, path: Path, task: str) -> None:
        super().__init__(path, task)
        entailment_of(self._checkpoint.config, self._checkpoint.folder)

    def take_labels(self, labels: Sequence[str]) -> None:
        """Take the labels that texts are paired with."""
        self._checkpoint = dataclasses.replace(self._checkpoint, labels=tuple(labels))


HYPOTHESES = ProcessorKind(
    input_name="text",
    tools=TEXT.tools,
    check=TEXT.check,
    from_checkpoint=HypothesisTokenizer,
    beside=HypothesesBeside,
    files=TEXT.files,
)
