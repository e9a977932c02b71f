"""Tokenizers of texts with masks, and what becomes of the scores there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.text import TEXT, ComparingBeside
from edgewright_compiler.processors.tokenizer import TOKENIZER_URI, CheckpointTokenizer
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


class MaskTokenizer(CheckpointTokenizer):
    """The tokenizer of a checkpoint that has a token for a mask; see `CheckpointTokenizer`.

    Raises:
        InputError: It has none.
    """

    def __init__(self, checkpoint: Checkpoint, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        if self._tokenizer.mask_token is None:
            raise InputError(f"'{checkpoint.name}': its tokenizer has no mask token.")

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """From the scores of all tokens to the words of the masks."""
        options = {"tokenizer": TOKENIZER_URI, "mask": self._tokenizer.mask_token}
        return (StepSpec("fill_mask", {"logits": outputs[0], **options}),)

    def compared(self, feeds: Arrays, outputs: Arrays) -> Arrays:
        """The scores at the masks alone, [masks, vocabulary]: as the step gives them."""
        masks = feeds["input_ids"][0] == self._tokenizer.mask_token_id
        # As the step, which looks at one output.
        name = next(iter(outputs))
        return {name: outputs[name][0][masks]}


class MaskedBeside(ComparingBeside):
    """The same beside an ONNX file; see `TokenizerBeside`."""

    _KIND = MaskTokenizer


MASKED = ProcessorKind(
    input_name="text",
    tools=TEXT.tools,
    check=TEXT.check,
    from_checkpoint=MaskTokenizer,
    beside=MaskedBeside,
    files=TEXT.files,
)
