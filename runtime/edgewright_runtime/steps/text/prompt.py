"""What a decoder begins with: declared tokens, some of which a call may choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.text.length import encode, text_limit
from edgewright_runtime.steps.text.tokenize import describe, read_tokenizer
from edgewright_runtime.steps.values import call_of
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays


class Prompt:
    """Adds the tokens that a decoder begins with, int64 [1, tokens].

    Args:
        package: Holds the tokenizer, where there is a text.
        output: Name of the value.
        tokens: In their order. An entry is a token, or an option of a call:
            `{"option": NAME, "choices": {VALUE: TOKEN}, "default": VALUE}`; a choice without a token has null.
        text: Name of the option of a call that is a text to go on with after these; none without.
        tokenizer: URI of the `tokenizer.json` for it.
    """

    def __init__(
        self,
        package: Package,
        *,
        output: str,
        tokens: Sequence[Any],
        text: str = "",
        tokenizer: str = "",
    ) -> None:
        self._output = output
        self._entries = [entry if isinstance(entry, dict) else int(entry) for entry in tokens]
        chosen = [entry for entry in self._entries if isinstance(entry, dict)]
        for entry in chosen:
            if set(entry) != {"option", "choices", "default"} or entry["default"] not in entry["choices"]:
                raise ValueError(f"the choice {entry} of a prompt")
        self.options = (*(str(entry["option"]) for entry in chosen), *([text] if text else []))
        self._text = text
        self._tokenizer = read_tokenizer(package, tokenizer) if text else None
        self._most = text_limit(self._tokenizer, str(package.root)) if text else 0

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the tokens.

        Raises:
            SampleError: The call's choice does not exist, or the text is not valid.
        """
        options = call_of(values).options
        found = [entry if isinstance(entry, int) else _chosen(entry, options) for entry in self._entries]
        tokens = [token for token in found if token is not None] + self._tokens_of(options.get(self._text))
        return {self._output: np.array([tokens], dtype=np.int64)}

    def _tokens_of(self, text: Any) -> list[int]:
        if text is None or self._tokenizer is None:
            return []
        if not isinstance(text, str) or not text.strip():
            raise SampleError(f"The option {self._text} must be a text to continue; found {describe(text)}.")
        return [int(token) for token in encode(self._tokenizer, self._most, text, add_special_tokens=False).ids]


def _chosen(entry: Mapping[str, Any], options: Mapping[str, object]) -> int | None:
    given = options.get(entry["option"])
    value = entry["default"] if given is None else str(given).lower()
    if value not in entry["choices"]:
        raise SampleError(
            f"The option {entry['option']} is {given!r}, which this model does not have.",
            hint=nearest(value, entry["choices"]),
        )
    token = entry["choices"][value]
    return None if token is None else int(token)
