"""A query and passages, ordered by how well each answers it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

from edgewright_runtime.errors import SampleCutWarning, SampleError
from edgewright_runtime.probabilities import sigmoid
from edgewright_runtime.steps.text.length import encode, text_limit
from edgewright_runtime.steps.text.pairs import non_empty, padded_rows
from edgewright_runtime.steps.text.tokenize import ENCODING_FIELDS, read_tokenizer
from edgewright_runtime.steps.values import call_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_runtime.answer_types import RankedPassage
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

# All passages of a call go through the graph together.
_MOST_PASSAGES = 512


class TokenizePassages:
    """A query with each of some passages to int64 arrays of shape [passages, tokens].

    Args:
        package: Where the tokenizer lies.
        engine: Decides the padding; a graph of a fixed length has rows of exactly that.
        tokenizer: URI of `tokenizer.json`.
        outputs: Which values to make, such as `input_ids`.
        max_length: Tokens of a query and a passage at most, special tokens included; the longer of both is cut.
        pad_id: Token id of padding.
        truncation_side: On which side they are cut.
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
        truncation_side: Literal["right", "left"] = "right",
    ) -> None:
        self._tokenizer = read_tokenizer(package, tokenizer)
        self._most = text_limit(self._tokenizer, str(package.root))
        fixed = engine.fixed_length(outputs)
        self._limit = min(max_length, fixed) if fixed else max_length
        self._tokenizer.enable_truncation(self._limit, strategy="longest_first", direction=truncation_side)
        self._fields = {name: ENCODING_FIELDS[name] for name in outputs}
        self._pad = {"input_ids": pad_id}
        self._multiple = fixed or engine.spec.pad_to_multiple_of

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the token arrays of `query` and `passages`.

        Raises:
            SampleError: The query is not a text, or the passages are not a list of some.
        """
        query = non_empty(values["query"], "query")
        passages = values["passages"]
        if not isinstance(passages, (list, tuple)) or not 1 <= len(passages) <= _MOST_PASSAGES:
            given = len(passages) if isinstance(passages, (list, tuple)) else type(passages).__name__
            raise SampleError(f"The model takes a list of 1 to {_MOST_PASSAGES} passages; found {given}.")
        rows = [encode(self._tokenizer, self._most, query, non_empty(passage, "passage")) for passage in passages]
        if cut := sum(bool(row.overflowing) for row in rows):
            warnings.warn(
                f"{cut} of {len(rows)} passages were cut: with the query they are longer than the model's "
                f"{self._limit} tokens.",
                SampleCutWarning,
                stacklevel=2,
            )
        return padded_rows(rows, self._fields, self._pad, self._multiple)


class RankPassages:
    """Logits of shape [passages, 1] to passages with their scores, best first.

    Args:
        logits: Name of the graph's output.
        function: What makes scores of logits.
    """

    def __init__(
        self,
        *,
        logits: str,
        function: Literal["sigmoid", "none"] = "sigmoid",
    ) -> None:
        self._logits = logits
        self._sigmoid = function == "sigmoid"

    def __call__(self, values: NamedValues) -> dict[str, list[RankedPassage]]:
        """Add `ranking`: `{"index", "score", "text"}` of each passage, or of the first `top_k` that a call asks for."""
        logits = values[self._logits].reshape(-1)
        passages = values["passages"]
        if len(logits) != len(passages):
            raise ValueError(f"{len(logits)} scores for {len(passages)} passages")
        scores = sigmoid(logits) if self._sigmoid else logits
        # A sigmoid makes equal scores of large logits; these still tell which is better.
        order = (-logits).argsort(kind="stable")[: call_of(values).options.get("top_k")].tolist()
        return {"ranking": [{"index": i, "score": float(scores[i]), "text": passages[i]} for i in order]}
