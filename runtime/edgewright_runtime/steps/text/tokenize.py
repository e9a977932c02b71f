"""Text to token ids, with the `tokenizers` library and the source's own `tokenizer.json`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.errors import PackageError, SampleCutWarning, SampleError
from edgewright_runtime.package_files import VOCABULARY_LIMIT_BYTES
from edgewright_runtime.steps.text.length import encode, text_limit
from edgewright_targets.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

# Values of a `tokenizers.Encoding` that a graph may ask for, by the input names that transformers gives them.
ENCODING_FIELDS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}


class Tokenize:
    """One text to int64 arrays of shape [1, tokens].

    Args:
        package: Where the tokenizer lies.
        engine: Decides the padding: providers that compile for each shape want few of them, and a graph of a fixed
            length wants texts padded or cut to exactly that.
        tokenizer: URI of `tokenizer.json`.
        outputs: Which values to make, such as `input_ids`.
        max_length: Texts are cut to so many tokens, special tokens included; 0 is not at all.
        pad_id: Token id of padding.
        padding_side: `right` or `left`.
        truncation_side: Where a text that is too long loses tokens, `right` or `left`.
        text: Name of the value that holds the text.
        padded: Whether an engine may have texts padded; without, where a graph cannot tell padding from text.
    """

    def __init__(
        self,
        package: Package,
        engine: Engine,
        *,
        tokenizer: str,
        outputs: Sequence[str],
        max_length: int,
        pad_id: int = 0,
        padding_side: Literal["right", "left"] = "right",
        truncation_side: Literal["right", "left"] = "right",
        text: str = "text",
        padded: bool = True,
    ) -> None:
        self._tokenizer = read_tokenizer(package, tokenizer)
        self._most = text_limit(self._tokenizer, str(package.root))
        fixed = engine.fixed_length(outputs)
        self._limit = min(filter(None, (max_length, fixed)), default=0)
        if self._limit:
            self._tokenizer.enable_truncation(self._limit, direction=truncation_side)
        self._fields = {name: ENCODING_FIELDS[name] for name in outputs}
        self._pad = {"input_ids": pad_id}
        self._left = padding_side == "left"
        self._text = text
        self._multiple = fixed or (engine.spec.pad_to_multiple_of if padded else 1)

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add the token arrays of the text, its `encoding` without padding, and `padding_before` in tokens.

        Raises:
            SampleError: The text is not a string, or it is empty or too long.
            PackageError: The tokenizer failed.
        """
        text = values[self._text]
        if not isinstance(text, str) or not text.strip():
            raise SampleError(f"The model takes a non-empty text; found {describe(text)}.")
        encoding = encode(self._tokenizer, self._most, text)
        # Not len(encoding.ids): each access of an encoding's field makes a new list.
        if self._limit and len(encoding) == self._limit and encoding.overflowing:
            warnings.warn(
                f"The text was cut: it is longer than the model's {self._limit} tokens.",
                SampleCutWarning,
                stacklevel=2,
            )
        missing = -len(encoding) % self._multiple
        made: dict[str, object] = {"encoding": encoding, "padding_before": missing if self._left else 0}
        for name, field in self._fields.items():
            ids = getattr(encoding, field)
            if missing:
                padding = [self._pad.get(name, 0)] * missing
                ids = padding + ids if self._left else ids + padding
            made[name] = np.array([ids], dtype=np.int64)
        return made


def read_tokenizer(package: Package, uri: str) -> Any:
    """The `tokenizers.Tokenizer` in the asset called `uri`, without padding and truncation of its own.

    Raises:
        MissingDependencyError: The library is not installed.
        PackageError: It cannot be read.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingDependencyError(
            "This package takes text, but the library 'tokenizers' is not installed.",
            hint="Install it with: pip install tokenizers",
        ) from error
    path = package.asset(uri)
    if path.exists() and path.stat().st_size > VOCABULARY_LIMIT_BYTES:
        raise PackageError(f"'{package.root}': its tokenizer has more than {VOCABULARY_LIMIT_BYTES:,} bytes.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except PackageError:
        raise
    except BaseException as error:
        # The library raises a bare Exception, or panics, which is not an Exception.
        if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise PackageError(f"'{package.root}': the tokenizer cannot be read: {str(error)[:200]}.") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def describe(value: object) -> str:
    """A value that is not text, for messages."""
    return repr(value[:80]) if isinstance(value, str) else f"{type(value).__name__}"
