"""Tokenizers: those of transformers in a checkpoint, and a `tokenizer.json` beside an ONNX file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoint import OFFLINE, Checkpoint, read_json
from edgewright_compiler.component import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.sources.failures import needs
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps.text_size import is_of_tokenizers
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

_ASSET = "tokenizer"
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_URI = f"{ASSET_PREFIX}{_ASSET}/{TOKENIZER_FILE}"
# A tokenizer without a limit says 10^30; the position table of the model is the true limit then.
_NO_LIMIT = 10**6
_DEFAULT_LENGTH = 512
# Vocabularies as transformers saves them: its own form, WordPiece and BPE, SentencePiece.
_TOKENIZER_FILES = (TOKENIZER_FILE, "vocab.*", "*.model", "*.spm")
_EXAMPLE = ("a first example for the exporter", "and a second one that is longer than the first")
# A token of time, as Whisper's tokenizers spell it.
_TIME = re.compile(r"<\|\d+\.\d+\|>")
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class CheckpointTokenizer:
    """The tokenizer of a checkpoint.

    Raises:
        InputError: It cannot be loaded, or has no fast form.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        with needs("compiler"):
            from transformers import AutoTokenizer
        self._folder = checkpoint.folder
        self._tokenizer = checkpoint.loaded(lambda: AutoTokenizer.from_pretrained(checkpoint.folder, **OFFLINE))
        if not getattr(self._tokenizer, "is_fast", False):
            raise InputError(
                f"'{checkpoint.folder}': its tokenizer has no fast form (tokenizer.json), which is what runs on a "
                "device."
            )
        limits = [self._tokenizer.model_max_length, checkpoint.config.get("max_position_embeddings")]
        known = [int(limit) for limit in limits if limit and limit < _NO_LIMIT]
        self.limit = min(known, default=None)
        self.max_length = self.limit or _DEFAULT_LENGTH

    @property
    def pad_id(self) -> int | None:
        """The token for padding, if it has one."""
        found = self._tokenizer.pad_token_id
        return None if found is None else int(found)

    @property
    def leading_special_tokens(self) -> int:
        """How many tokens begin every text, whatever it says."""
        ids = self._tokenizer("a")["input_ids"]
        special = set(self._tokenizer.all_special_ids)
        return next((index for index, token in enumerate(ids) if token not in special), 0)

    def check_size(self, known: int) -> None:
        """See `TokenizingProcessor`.

        Raises:
            InputError: It has such tokens.
        """
        found = 1 + int(max(self._tokenizer.get_vocab().values()))
        if found > known:
            raise InputError(
                f"'{self._folder}': its tokenizer has {found:,} tokens and its model {known:,}: they do not belong "
                "together.",
                hint="Save the tokenizer that the model was trained with into the folder.",
            )

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, without those that begin or end every text."""
        return [int(token) for token in self._tokenizer(text, add_special_tokens=False)["input_ids"]]

    def example(self) -> dict[str, Any]:
        """See `Processor`."""
        return self._made(list(_EXAMPLE), padding=True, return_tensors="pt")

    def axes(self, feeds: Mapping[str, Any]) -> dict[str, dict[int, Any]]:
        """See `Processor`."""
        import torch

        # The position table ends somewhere; an axis without an upper end is refused by torch.export.
        sequence = torch.export.Dim("sequence", min=2, max=self.max_length)
        axes = {0: torch.export.Dim("batch"), 1: sequence}
        return {name: dict(axes) for name in feeds}

    def feeds(self, sample: Any) -> Arrays:
        """See `Processor`."""
        return self._made([sample], return_tensors="np")

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """See `Processor`."""
        pad_id = self._tokenizer.pad_token_id or 0
        return (
            _tokenize(inputs, max_length=self.max_length, pad_id=pad_id, padding_side=self._tokenizer.padding_side),
        )

    def keep(self, folder: Path) -> None:
        """See `Processor`: with the times of a transcript as special tokens, for they are no part of its text."""
        data = json.loads(self._tokenizer.backend_tokenizer.to_str())
        for token in data["added_tokens"]:
            token["special"] |= bool(_TIME.fullmatch(token["content"]))
        text = json.dumps(data, ensure_ascii=False)
        (_asset_folder(folder) / TOKENIZER_FILE).write_text(text, encoding="utf-8")

    def _made(self, texts: list[str], **options: Any) -> dict[str, Any]:
        try:
            return dict(self._tokenizer(texts, truncation=True, max_length=self.max_length, **options))
        except BaseException as error:
            if not is_of_tokenizers(error):
                raise
            raise InputError(f"'{self._folder}': its tokenizer fails: {str(error)[:200]}.") from error


class FileTokenizer:
    """A `tokenizer.json` beside an ONNX file, which knows its own padding and truncation.

    Raises:
        InputError: There is none, or it cannot be read.
    """

    def __init__(self, path: Path, task: str) -> None:
        self._path = path
        self._file = path.parent / TOKENIZER_FILE
        if not self._file.is_file():
            raise InputError(
                f"'{path}': the task {task} needs a tokenizer, and there is no {TOKENIZER_FILE} beside the file."
            )

    def feeds(self, sample: Any) -> Arrays:
        """See `Processor`."""
        import numpy as np
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._file))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._option("truncation", "max_length", _DEFAULT_LENGTH))
        encoding = tokenizer.encode(sample)
        values = (encoding.ids, encoding.attention_mask, encoding.type_ids)
        return {name: np.array([ids], dtype=np.int64) for name, ids in zip(_INPUTS, values, strict=True)}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """See `Processor`."""
        if unknown := sorted(set(inputs) - set(_INPUTS)):
            raise InputError(f"'{self._path}': a text model has the inputs {_INPUTS}; this one has {unknown}.")
        length = self._option("truncation", "max_length", _DEFAULT_LENGTH)
        pad_id = self._option("padding", "pad_id", 0)
        return (_tokenize(inputs, max_length=length, pad_id=pad_id, padding_side="right"),)

    def keep(self, folder: Path) -> None:
        """See `Processor`."""
        shutil.copyfile(self._file, _asset_folder(folder) / TOKENIZER_FILE)

    def _option(self, part: str, name: str, default: int) -> int:
        return int((read_json(self._file).get(part) or {}).get(name, default))


def _tokenize(inputs: Sequence[str], *, max_length: int, pad_id: int, padding_side: str) -> StepSpec:
    options = {
        "tokenizer": TOKENIZER_URI,
        "outputs": list(inputs),
        "max_length": max_length,
        "pad_id": pad_id,
        "padding_side": padding_side,
    }
    return StepSpec("tokenize", options)


def _asset_folder(folder: Path) -> Path:
    destination = folder / ASSETS_FOLDER / _ASSET
    destination.mkdir(parents=True)
    return destination


def _check(folder: Path) -> None:
    # Without one transformers makes a tokenizer that knows no word, and says nothing.
    if not any(any(folder.glob(pattern)) for pattern in _TOKENIZER_FILES):
        raise InputError(
            f"'{folder}' is no checkpoint: it has no tokenizer (tokenizer.json).",
            hint="Save it into the same folder: tokenizer.save_pretrained(folder).",
        )


TEXT = ProcessorKind("text", ("tokenizers",), _check, CheckpointTokenizer, FileTokenizer, (TOKENIZER_FILE,))
