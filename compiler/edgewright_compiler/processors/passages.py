"""Tokenizers of a query with each of several passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from edgewright_compiler.checkpoints.checkpoint import SENTENCES_FILE, Checkpoint
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.text import TEXT, TokenizerBeside
from edgewright_compiler.processors.tokenizer import TOKENIZER_URI, CheckpointTokenizer
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

_EXAMPLE = (
    ("where is it?", "it is in the kitchen"),
    ("who was here before the others came?", "nobody was here before the others came"),
)


class PassageTokenizer(CheckpointTokenizer):
    """The tokenizer of a checkpoint, for pairs of which the longer one is cut; see `CheckpointTokenizer`."""

    _SHORT: ClassVar[Any] = {"query": _EXAMPLE[0][0], "passages": [_EXAMPLE[0][1]]}

    def __init__(self, checkpoint: Checkpoint, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        if self._tokenizer.padding_side != "right":
            raise InputError(
                f"'{checkpoint.name}': its tokenizer pads on the left, which is not yet supported for pairs of texts."
            )

    def example(self) -> dict[str, Any]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        return self._together(list(_EXAMPLE))

    def feeds(self, sample: Any) -> Arrays:
        """One row per passage; shorter passages are padded."""
        return self._stacked(self._made([(sample["query"], passage) for passage in sample["passages"]]))

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """One step, which pairs the query with each passage as tokens of one padded length.

        Raises:
            InputError: Padding behind a text changes the answer, and shorter passages need some.
        """
        if self._side != "right":
            raise InputError(
                f"'{self._title}': padding changes its model's outputs, so it cannot take several passages at once."
            )
        options = {
            "tokenizer": TOKENIZER_URI,
            "outputs": list(inputs),
            "max_length": self.max_length,
            "pad_id": self.filler,
            "truncation_side": self.truncation_side,
        }
        return (StepSpec("tokenize_passages", options),)


class PassagesBeside(TokenizerBeside):
    """The tokenizer beside an ONNX file, for pairs; see `TokenizerBeside`."""

    _KIND = PassageTokenizer


PASSAGES = ProcessorKind(
    input_name="query+passages",
    tools=TEXT.tools,
    check=TEXT.check,
    from_checkpoint=PassageTokenizer,
    beside=PassagesBeside,
    files=(*TEXT.files, SENTENCES_FILE),
)
