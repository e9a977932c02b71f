"""Texts: the tokenizer of a checkpoint, or one beside an ONNX file, which is read the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import checkpoint_beside
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.tokenizer import SETTINGS_FILE, TOKENIZER_FILE, CheckpointTokenizer
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# Vocabularies as transformers saves them: its own form, WordPiece and BPE, SentencePiece.
_VOCABULARIES = (TOKENIZER_FILE, "vocab.*", "*.model", "*.spm")
_MORE = (SETTINGS_FILE, "special_tokens_map.json", "added_tokens.json", "merges.txt", "config.json")
_TYPES = "token_type_ids"
_INPUTS = ("input_ids", "attention_mask", _TYPES)


class TokenizerBeside:
    """The tokenizer beside an ONNX file, read as that of a checkpoint is.

    Raises:
        InputError: There is no tokenizer.
    """

    _KIND = CheckpointTokenizer

    def __init__(self, path: Path, task: str) -> None:
        self._path = path
        self._length: int | None = None
        self._types = True
        self._checkpoint = checkpoint_beside(path)
        check_tokenizer_beside(path, task, self._checkpoint.folder)

    @cached_property
    def _tokenizer(self) -> CheckpointTokenizer:
        # Not before it is asked for: whether files are there is told without transformers.
        made = self._KIND(self._checkpoint, return_attention_mask=True, return_token_type_ids=self._types)
        if self._length:
            made.fix_length(self._length)
        return made

    def take_inputs(self, inputs: Sequence[str]) -> None:
        """Make token types only where they are among the inputs of the graph."""
        self._types = _TYPES in inputs

    def fix_length(self, length: int) -> None:
        """Make `length` tokens of every text."""
        self._length = length

    def settle_padding(self, infer: Callable[[Arrays], Arrays]) -> None:
        """Find out where an engine may pad texts without other outputs; `infer` is the graph."""
        self._tokenizer.settle_padding(infer)

    def feeds(self, sample: Any) -> Arrays:
        """The inputs of the graph, and a mask."""
        return self._tokenizer.feeds(sample)

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        if unknown := sorted(set(inputs) - set(_INPUTS)):
            raise InputError(f"'{self._path}': a text model has the inputs {_INPUTS}; this one has {unknown}.")
        return self._tokenizer.steps(inputs)

    def keep(self, folder: Path) -> None:
        """Copy the files that the steps need into the assets of the component in `folder`."""
        self._tokenizer.keep(folder)


class AnsweringBeside(TokenizerBeside):
    """One of a kind that says what becomes of the outputs."""

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from the graph's outputs to the prediction."""
        made: Any = self._tokenizer
        steps: tuple[StepSpec, ...] = made.answer(outputs)
        return steps


class ComparingBeside(AnsweringBeside):
    """One of a kind whose steps give fewer outputs than the graph does."""

    def compared(self, feeds: Arrays, outputs: Arrays) -> Arrays:
        """Of the outputs for these feeds, what the steps leave of them."""
        made: Any = self._tokenizer
        found: Arrays = made.compared(feeds, outputs)
        return found


def check_tokenizer_beside(path: Path, task: str, folder: Path) -> None:
    """Raise where there is no tokenizer in the folder of an ONNX file."""
    if not _has_tokenizer(folder):
        raise InputError(
            f"'{path}': the task {task} needs a tokenizer, and there is no {TOKENIZER_FILE} beside the file."
        )


def _has_tokenizer(folder: Path) -> bool:
    return any(any(folder.glob(pattern)) for pattern in _VOCABULARIES)


def _check(folder: Path) -> None:
    # Without one transformers makes a tokenizer that knows no word, and says nothing.
    if not _has_tokenizer(folder):
        raise InputError(
            f"'{folder}' is not a checkpoint: it has no tokenizer (tokenizer.json).",
            hint="Save it into the same folder: tokenizer.save_pretrained(folder).",
        )


TEXT = ProcessorKind(
    input_name="text",
    tools=("tokenizers", "transformers"),
    check=_check,
    from_checkpoint=CheckpointTokenizer,
    beside=TokenizerBeside,
    files=(*_VOCABULARIES, *_MORE),
)
