"""Tokenizers as transformers reads them: in a checkpoint folder, and beside an ONNX file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edgewright_compiler.checkpoint import OFFLINE, Checkpoint, checkpoint_beside
from edgewright_compiler.component import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.padding import ADDED, harmless_side
from edgewright_compiler.processors.positions import position_limit
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
_VOCABULARIES = (TOKENIZER_FILE, "vocab.*", "*.model", "*.spm")
_SETTINGS = "tokenizer_config.json"
_MORE = (_SETTINGS, "special_tokens_map.json", "added_tokens.json", "merges.txt", "config.json")
_EXAMPLE = ("a first example for the exporter", "and a second one that is longer than the first")
# A token of time, as Whisper's tokenizers spell it.
_TIME = re.compile(r"<\|\d+\.\d+\|>")
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class CheckpointTokenizer:
    """The tokenizer of a checkpoint.

    Attributes:
        limit: Tokens that the model or its tokenizer takes; None where neither says a limit.
        max_length: Texts are cut to so many tokens, on the side that the tokenizer says.

    Raises:
        InputError: It cannot be loaded, or has no fast form.
    """

    # What padding is tried on.
    _SHORT: ClassVar[Any] = _EXAMPLE[0]

    def __init__(self, checkpoint: Checkpoint) -> None:
        with needs("compiler"):
            from transformers import AutoTokenizer
        self._title = checkpoint.name
        self._tokenizer = checkpoint.loaded(lambda: AutoTokenizer.from_pretrained(checkpoint.folder, **OFFLINE))
        if not getattr(self._tokenizer, "is_fast", False):
            raise InputError(
                f"'{self._title}': its tokenizer has no fast form (tokenizer.json), which is what runs on a device."
            )
        limits = (self._tokenizer.model_max_length, position_limit(checkpoint.config))
        known = [int(limit) for limit in limits if limit and limit < _NO_LIMIT]
        own = self._tokenizer.backend_tokenizer.truncation
        if own and not (checkpoint.folder / _SETTINGS).is_file():
            # Of a tokenizer.json alone; where transformers has settings of its own, it goes by those.
            known.append(int(own["max_length"]))
        self.limit = min(known, default=None)
        self.max_length = self.limit or _DEFAULT_LENGTH
        self._side: str | None = str(self._tokenizer.padding_side)
        self._config_pad_id = checkpoint.config.get("pad_token_id")

    @property
    def pad_id(self) -> int | None:
        """The token for padding, if it has one."""
        found = self._tokenizer.pad_token_id
        return None if found is None else int(found)

    @property
    def filler(self) -> int:
        """The token that an engine's padding is filled with: the tokenizer's, or else what the model knows as such."""
        return next(int(found) for found in (self.pad_id, self._config_pad_id, 0) if found is not None)

    @property
    def truncation_side(self) -> str:
        """Where texts that are too long lose tokens."""
        return str(self._tokenizer.truncation_side)

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
                f"'{self._title}': its tokenizer has {found:,} tokens and its model {known:,}: they do not belong "
                "together.",
                hint="Save the tokenizer that the model was trained with into the folder.",
            )

    def settle_padding(self, infer: Callable[[Arrays], Arrays]) -> None:
        """See `PaddedProcessor`."""
        feeds = {name: value[:, : self.max_length - ADDED] for name, value in self.feeds(self._SHORT).items()}
        if next(iter(feeds.values())).size:
            sides = ("left", "right") if self._side == "left" else ("right", "left")
            self._side = harmless_side(infer, feeds, self.filler, sides)

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, without those that begin or end every text."""
        return [int(token) for token in self._tokenizer(text, add_special_tokens=False)["input_ids"]]

    def example(self) -> dict[str, Any]:
        """See `Processor`."""
        return self._together(list(_EXAMPLE))

    def _together(self, samples: list[Any]) -> dict[str, Any]:
        """Texts or pairs of them in one batch."""
        if self.pad_id is not None:
            return self._made(samples, padding=True, return_tensors="pt")
        # Nothing to pad with: they are of one length.
        import torch

        rows = [self._made([sample]) for sample in samples]
        length = min(len(row["input_ids"][0]) for row in rows)
        return {name: torch.tensor([row[name][0][:length] for row in rows]) for name in rows[0]}

    def axes(self, feeds: Mapping[str, Any]) -> dict[str, dict[int, Any]]:
        """See `Processor`."""
        import torch

        # The position table ends somewhere; an axis without an upper end is refused by torch.export.
        sequence = torch.export.Dim("sequence", min=2, max=self.max_length)
        axes = {0: torch.export.Dim("batch"), 1: sequence}
        return {name: dict(axes) for name in feeds}

    def feeds(self, sample: Any, **options: Any) -> Arrays:
        """See `Processor`; `options` are those of the tokenizer."""
        return self._made([sample], return_tensors="np", **options)

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """See `Processor`."""
        options = {
            "tokenizer": TOKENIZER_URI,
            "outputs": list(inputs),
            "max_length": self.max_length,
            "pad_id": self.filler,
            "padding_side": self._side or "right",
            "truncation_side": self.truncation_side,
        }
        return (StepSpec("tokenize", options if self._side else {**options, "padded": False}),)

    def keep(self, folder: Path) -> None:
        """See `Processor`: with the times of a transcript as special tokens, for they are no part of its text."""
        data = json.loads(self._tokenizer.backend_tokenizer.to_str())
        for token in data["added_tokens"]:
            token["special"] |= bool(_TIME.fullmatch(token["content"]))
        text = json.dumps(data, ensure_ascii=False)
        (_asset_folder(folder) / TOKENIZER_FILE).write_text(text, encoding="utf-8")

    def _made(self, texts: str | list[Any], **options: Any) -> dict[str, Any]:
        options = {"truncation": True, "max_length": self.max_length, **options}
        try:
            return dict(self._tokenizer(texts, **options))
        except BaseException as error:
            if not is_of_tokenizers(error):
                raise
            raise InputError(f"'{self._title}': its tokenizer fails: {str(error)[:200]}.") from error


class TokenizerBeside:
    """The tokenizer beside an ONNX file, read as that of a checkpoint is.

    Raises:
        InputError: There is none.
    """

    _KIND = CheckpointTokenizer

    def __init__(self, path: Path, task: str) -> None:
        self._path = path
        self._checkpoint = checkpoint_beside(path)
        if not _has_tokenizer(self._checkpoint.folder):
            raise InputError(
                f"'{path}': the task {task} needs a tokenizer, and there is no {TOKENIZER_FILE} beside the file."
            )

    @cached_property
    def _tokenizer(self) -> CheckpointTokenizer:
        # Not before it is asked for: whether files are there is told without transformers.
        return self._KIND(self._checkpoint)

    def feeds(self, sample: Any) -> Arrays:
        """See `Processor`: all that a graph may ask for."""
        return self._tokenizer.feeds(sample, return_attention_mask=True, return_token_type_ids=True)

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """See `Processor`."""
        if unknown := sorted(set(inputs) - set(_INPUTS)):
            raise InputError(f"'{self._path}': a text model has the inputs {_INPUTS}; this one has {unknown}.")
        return self._tokenizer.steps(inputs)

    def keep(self, folder: Path) -> None:
        """See `Processor`."""
        self._tokenizer.keep(folder)


def _has_tokenizer(folder: Path) -> bool:
    return any(any(folder.glob(pattern)) for pattern in _VOCABULARIES)


def _asset_folder(folder: Path) -> Path:
    destination = folder / ASSETS_FOLDER / _ASSET
    destination.mkdir(parents=True)
    return destination


def _check(folder: Path) -> None:
    # Without one transformers makes a tokenizer that knows no word, and says nothing.
    if not _has_tokenizer(folder):
        raise InputError(
            f"'{folder}' is no checkpoint: it has no tokenizer (tokenizer.json).",
            hint="Save it into the same folder: tokenizer.save_pretrained(folder).",
        )


TEXT = ProcessorKind(
    "text",
    ("tokenizers", "transformers"),
    _check,
    CheckpointTokenizer,
    TokenizerBeside,
    (*_VOCABULARIES, *_MORE),
)
