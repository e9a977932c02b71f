"""Tokenizers of a question and a context, in windows where the context is long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.text import TEXT, TokenizerBeside
from edgewright_compiler.processors.tokenizer import TOKENIZER_URI, CheckpointTokenizer
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# As transformers' example for question answering: windows of 384 tokens, which share 128, or half of a shorter one.
_MAX_LENGTH = 384
_STRIDE = 128
_EXAMPLE = (
    ["where is it?", "who was here before the others came?"],
    ["it is in the kitchen", "nobody was here before the others came"],
)


class QuestionTokenizer(CheckpointTokenizer):
    """The tokenizer of a checkpoint, for pairs; see `CheckpointTokenizer`."""

    _SHORT: ClassVar[Any] = {"question": _EXAMPLE[0][0], "context": _EXAMPLE[1][0]}

    def __init__(self, checkpoint: Checkpoint, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        if self._tokenizer.padding_side != "right":
            raise InputError(
                f"'{checkpoint.name}': its tokenizer pads on the left, which is not yet supported for pairs of texts."
            )
        self.max_length = min(self.max_length, _MAX_LENGTH)
        self._stride = min(_STRIDE, self.max_length // 4)

    def example(self) -> dict[str, Any]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        return self._together(list(zip(*_EXAMPLE, strict=True)))

    def feeds(self, sample: Any) -> Arrays:
        """One row per window; shorter windows are padded."""
        made = self._made(
            sample["question"],
            text_pair=sample["context"],
            truncation="only_second",
            stride=self._stride,
            return_overflowing_tokens=True,
        )
        del made["overflow_to_sample_mapping"]
        return self._stacked(made)

    def fix_length(self, length: int) -> None:
        """Make windows of `length` tokens."""
        super().fix_length(length)
        self._stride = min(self._stride, self.max_length // 4)

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs.

        Raises:
            InputError: Padding behind a text changes the answer, and a window of its last words needs some.
        """
        if self._side != "right":
            raise InputError(
                f"'{self._title}': padding changes its model's outputs, so long texts cannot be split into windows."
            )
        options = {
            "tokenizer": TOKENIZER_URI,
            "outputs": list(inputs),
            "max_length": self.max_length,
            "stride": self._stride,
            "pad_id": self.filler,
            "truncation_side": self.truncation_side,
        }
        return (StepSpec("tokenize_question", options),)


class QuestionBeside(TokenizerBeside):
    """The tokenizer beside an ONNX file, for a question and a context; see `TokenizerBeside`."""

    _KIND = QuestionTokenizer


QUESTION = ProcessorKind(
    input_name="question+context",
    tools=TEXT.tools,
    check=TEXT.check,
    from_checkpoint=QuestionTokenizer,
    beside=QuestionBeside,
    files=TEXT.files,
)
