"""Text to token ids, with the `tokenizers` library and the source's own `tokenizer.json`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import PackageError, SampleCutWarning, SampleError
from edgewright_targets.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package

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
        padding_side: str = "right",
    ) -> None:
        self._tokenizer = read_tokenizer(package, tokenizer)
        fixed = engine.fixed_length(outputs)
        self._limit = min(filter(None, (max_length, fixed)), default=0)
        if self._limit:
            self._tokenizer.enable_truncation(self._limit)
        self._fields = {name: ENCODING_FIELDS[name] for name in outputs}
        self._pad = {"input_ids": pad_id}
        self._left = padding_side == "left"
        self._multiple = fixed or engine.spec.pad_to_multiple_of

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add the token arrays of `values["text"]`, its `encoding` without padding, and `padding_before` in tokens.

        Raises:
            SampleError: The text is not a string, or it is empty.
        """
        text = values["text"]
        if not isinstance(text, str) or not text.strip():
            raise SampleError(f"The model takes a non-empty text; given was {describe(text)}.")
        try:
            encoding = self._tokenizer.encode(text)
        except TypeError as error:
            # Half characters, as which Python keeps bytes of a command line that are no UTF-8.
            raise SampleError(f"The text is not valid Unicode: {text!r}.") from error
        # Not len(encoding.ids): each access of an encoding's field makes a new list.
        if self._limit and len(encoding) == self._limit and encoding.overflowing:
            warnings.warn(
                f"The text is longer than the {self._limit} tokens that the model takes: it was cut.",
                SampleCutWarning,
                stacklevel=2,
            )
        missing = -len(encoding) % self._multiple
        made: dict[str, Any] = {"encoding": encoding, "padding_before": missing if self._left else 0}
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
            "This package takes text, and the library 'tokenizers' is not installed.",
            hint="Install it with: pip install tokenizers",
        ) from error
    try:
        tokenizer = Tokenizer.from_file(str(package.asset(uri)))
    except PackageError:
        raise
    except Exception as error:  # the library raises a bare Exception
        raise PackageError(f"'{package.root}': the tokenizer cannot be read: {error}.") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def describe(value: object) -> str:
    """A value that is no text, for messages."""
    return repr(value) if isinstance(value, str) else f"{type(value).__name__}"
