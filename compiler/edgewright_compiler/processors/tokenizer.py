"""The tokenizer of a checkpoint, as transformers reads it, and the step that does the same on a device."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from edgewright_compiler.checkpoints.checkpoint import OFFLINE, Checkpoint
from edgewright_compiler.graphs.exported import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_compiler.processors.padding import ADDED, harmless_side, padded
from edgewright_compiler.processors.positions import position_limit
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps.text.length import is_of_tokenizers
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

_ASSET = "tokenizer"
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_URI = f"{ASSET_PREFIX}{_ASSET}/{TOKENIZER_FILE}"
# A tokenizer without a limit says 10^30; the position table of the model is the true limit then.
_NO_LIMIT = 10**6
_DEFAULT_LENGTH = 512
SETTINGS_FILE = "tokenizer_config.json"
_EXAMPLE = ("a first example for the exporter", "and a second one that is longer than the first")
# A token of time, as Whisper's tokenizers spell it.
_TIME = re.compile(r"<\|\d+\.\d+\|>")


class CheckpointTokenizer:
    """The tokenizer of a checkpoint.

    Args:
        checkpoint: The folder.
        options: For every call of the tokenizer.

    Attributes:
        limit: Tokens that the model or its tokenizer takes; None where neither says a limit.
        max_length: Texts are cut to so many tokens, on the side that the tokenizer says.

    Raises:
        InputError: It cannot be loaded, or has no fast form.
    """

    # What padding is tried on.
    _SHORT: ClassVar[Any] = _EXAMPLE[0]

    def __init__(self, checkpoint: Checkpoint, **options: Any) -> None:
        with needs("compiler"):
            from transformers import AutoTokenizer
        self._title = checkpoint.name
        self._tokenizer = checkpoint.loaded(lambda: AutoTokenizer.from_pretrained(checkpoint.folder, **OFFLINE))
        if not getattr(self._tokenizer, "is_fast", False):
            raise InputError(
                f"'{self._title}': its tokenizer has no fast form (tokenizer.json). Only fast tokenizers run on a "
                "device."
            )
        self._positions = position_limit(checkpoint.config)
        own_limit = self._tokenizer.model_max_length
        if not isinstance(own_limit, int | float) or not own_limit > 0:
            raise InputError(f"'{self._title}': 'model_max_length' of its tokenizer is {str(own_limit)[:60]!r}.")
        limits = (own_limit, self._positions)
        known = [int(limit) for limit in limits if limit and limit < _NO_LIMIT]
        own = self._tokenizer.backend_tokenizer.truncation
        if own and not (checkpoint.folder / SETTINGS_FILE).is_file():
            # Of a tokenizer.json alone; where transformers has settings of its own, it goes by those.
            known.append(int(own["max_length"]))
        self.limit = min(known, default=None)
        added = self._tokenizer.num_special_tokens_to_add()
        if self.limit is not None and added >= self.limit:
            # They are never cut: nothing would be left of a text.
            raise InputError(
                f"'{self._title}': its tokenizer adds {added:,} tokens to every text; the model takes {self.limit:,}.",
                hint="Check that the files of the tokenizer belong to this model.",
            )
        self.max_length = self.limit or _DEFAULT_LENGTH
        self._side: str | None = str(self._tokenizer.padding_side)
        self._options = options
        self._fixed: int | None = None
        pad_id = checkpoint.config.get("pad_token_id")
        self._config_pad_id = pad_id if isinstance(pad_id, int) else None

    @property
    def pad_id(self) -> int | None:
        """The token for padding, if it has one."""
        found = self._tokenizer.pad_token_id
        return None if found is None else int(found)

    @property
    def filler(self) -> int:
        """The token that an engine's padding is filled with: the tokenizer's, or else what the model knows as such."""
        return next(int(found) for found in (self.pad_id, self._config_pad_id, 0) if found is not None)

    def _fill(self, name: str) -> int:
        return self.filler if name == "input_ids" else 0

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
        """Refuse a tokenizer with tokens that a model of `known` tokens does not have.

        Raises:
            InputError: The tokenizer has such tokens.
        """
        found = 1 + int(max(self._tokenizer.get_vocab().values()))
        if found > known:
            raise InputError(
                f"'{self._title}': its tokenizer has {found:,} tokens, its model {known:,}. The tokenizer does not "
                "belong to the model.",
                hint="Save the tokenizer that the model was trained with into the folder.",
            )

    def settle_padding(self, infer: Callable[[Arrays], Arrays]) -> None:
        """Find out where an engine may pad texts without other outputs; `infer` is the graph."""
        if self._fixed:
            return
        feeds = {name: value[:, : self.max_length - ADDED] for name, value in self.feeds(self._SHORT).items()}
        if next(iter(feeds.values())).size:
            sides = ("left", "right") if self._side == "left" else ("right", "left")
            self._side = harmless_side(infer, feeds, self.filler, sides)

    def fix_length(self, length: int) -> None:
        """Make `length` tokens of every text."""
        self._fixed = length
        self.max_length = min(self.max_length, length)

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, without those that begin or end every text."""
        return [int(token) for token in self._tokenizer(text, add_special_tokens=False)["input_ids"]]

    def example(self) -> dict[str, Any]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        return self._together(list(_EXAMPLE))

    def _together(self, samples: list[Any]) -> dict[str, object]:
        """Texts or pairs of them in one batch."""
        if self.pad_id is not None:
            return self._made(samples, padding=True, return_tensors="pt")
        # Nothing to pad with: they are of one length.
        import torch

        rows = [self._made([sample]) for sample in samples]
        length = min(len(row["input_ids"][0]) for row in rows)
        return {name: torch.tensor([row[name][0][:length] for row in rows]) for name in rows[0]}

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        import torch

        # The position table ends somewhere; an axis without an upper end is refused by torch.export.
        sequence = torch.export.Dim("sequence", min=2, max=self.max_length)
        axes = {0: torch.export.Dim("batch"), 1: sequence}
        return {name: dict(axes) for name in feeds}

    def feeds(self, sample: Any) -> Arrays:
        """The graph's inputs for one sample, as the source's own code computes them."""
        made = self._made([sample], return_tensors="np")
        if self._fixed is None:
            return made
        missing = self._fixed - made["input_ids"].shape[1]
        return {name: padded(value, self._side or "right", missing, self._fill(name)) for name, value in made.items()}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
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
        """Write the tokenizer with the times of a transcript as special tokens: they do not belong to its text."""
        data = json.loads(self._tokenizer.backend_tokenizer.to_str())
        for token in data["added_tokens"]:
            token["special"] |= bool(_TIME.fullmatch(token["content"]))
        text = json.dumps(data, ensure_ascii=False)
        (_asset_folder(folder) / TOKENIZER_FILE).write_text(text, encoding="utf-8")

    def _stacked(self, made: Mapping[str, Any]) -> Arrays:
        """Rows of tokens as one array, the shorter ones padded behind."""
        shape = len(made["input_ids"]), self._fixed or max(map(len, made["input_ids"]))
        feeds = {}
        for name, rows in made.items():
            feeds[name] = np.full(shape, self._fill(name), dtype=np.int64)
            for row, tokens in zip(feeds[name], rows, strict=True):
                row[: len(tokens)] = tokens
        return feeds

    def _made(self, texts: str | list[Any], **options: Any) -> dict[str, Any]:
        options = {"truncation": True, "max_length": self.max_length, **self._options, **options}
        try:
            return dict(self._tokenizer(texts, **options))
        except BaseException as error:
            if not is_of_tokenizers(error):
                raise
            raise InputError(f"'{self._title}': its tokenizer fails: {str(error)[:200]}.") from error


def _asset_folder(folder: Path) -> Path:
    destination = folder / ASSETS_FOLDER / _ASSET
    destination.mkdir(parents=True)
    return destination
