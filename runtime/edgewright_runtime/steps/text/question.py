"""A question about a text, answered by a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.errors import PackageError, SampleError
from edgewright_runtime.steps.text.length import encode, text_limit
from edgewright_runtime.steps.text.pairs import non_empty, padded_rows
from edgewright_runtime.steps.text.tokenize import ENCODING_FIELDS, read_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_runtime.answer_types import FoundAnswer
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues


class TokenizeQuestion:
    """A question and a context to int64 arrays of shape [windows, tokens].

    A context that does not fit is read in windows that overlap; each has the whole question.

    Args:
        package: Where the tokenizer lies.
        engine: Decides the padding; a graph of a fixed length has windows of exactly that.
        tokenizer: URI of `tokenizer.json`.
        outputs: Which values to make, such as `input_ids`.
        max_length: Tokens of a window at most, question and special tokens included.
        stride: Tokens that two windows share.
        pad_id: Token id of padding.
        truncation_side: From which end of the context windows are counted, `right` is from its start.
    """

    def __init__(
        self,
        package: Package,
        engine: Engine,
        *,
        tokenizer: str,
        outputs: Sequence[str],
        max_length: int,
        stride: int,
        pad_id: int = 0,
        truncation_side: Literal["right", "left"] = "right",
    ) -> None:
        self._tokenizer = read_tokenizer(package, tokenizer)
        self._most = text_limit(self._tokenizer, str(package.root))
        fixed = engine.fixed_length(outputs)
        if fixed:
            max_length, stride = fixed, min(stride, fixed // 4)
        self._tokenizer.enable_truncation(max_length, stride=stride, strategy="only_second", direction=truncation_side)
        self._room = max_length - stride
        self._fields = {name: ENCODING_FIELDS[name] for name in outputs}
        self._pad = {"input_ids": pad_id}
        self._multiple = fixed or engine.spec.pad_to_multiple_of

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add the token arrays of `question` and `context`, and the `encodings` of the windows.

        Raises:
            SampleError: One of them is not a string or empty, or the question leaves no room for the context.
        """
        question, context = (non_empty(values[name], name) for name in ("question", "context"))
        try:
            encoding = encode(self._tokenizer, self._most, question, context)
        except PackageError as error:
            if type(error.__cause__) is not Exception:
                raise
            # What the library says of two texts that it cannot cut to the length.
            raise SampleError(
                f"The question is too long: each window needs {self._room} new tokens of the context. Question: "
                f"{question!r}."
            ) from error
        windows = [encoding, *encoding.overflowing]
        return {"encodings": windows, **padded_rows(windows, self._fields, self._pad, self._multiple)}


class FindAnswer:
    """Logits of where an answer starts and ends, shape [windows, tokens] each, to the part of the context.

    Args:
        start: Name of the graph's output for starts.
        end: Name of the graph's output for ends.
        longest: Tokens of an answer at most.
    """

    def __init__(self, *, start: str, end: str, longest: int) -> None:
        if longest < 1:
            raise ValueError(f"longest is {longest}")
        self._start = start
        self._end = end
        self._longest = longest

    def __call__(self, values: NamedValues) -> dict[str, FoundAnswer]:
        """Add `answer`: `{"text", "score", "start", "end"}`, in characters of the context: the likeliest."""
        windows = values["encodings"]
        starts, ends = _shares(values[self._start], windows), _shares(values[self._end], windows)
        best = (-1.0, 0, 0, 0)
        for index in range(len(windows)):
            # Both ends of all spans: those that run backwards or are too long are not answers.
            spans = np.triu(np.outer(starts[index], ends[index]))
            spans = np.tril(spans, self._longest - 1)
            first, last = divmod(int(spans.argmax()), spans.shape[1])
            best = max(best, (float(spans[first, last]), -index, first, last))
        score, index, first, last = best
        offsets = windows[-index].offsets
        begin, stop = offsets[first][0], offsets[last][1]
        text = values["context"][begin:stop]
        # Tokens of some vocabularies hold the space before their word.
        begin += len(text) - len(text.lstrip())
        return {"answer": {"text": text.strip(), "score": score, "start": begin, "end": stop}}


def _shares(logits: Any, windows: Sequence[Any]) -> list[Any]:
    """Probability of each token of the context, all windows together; 0 for the question and special tokens."""
    rows = []
    for row, window in zip(logits, windows, strict=True):
        inside = np.array([sequence == 1 for sequence in window.sequence_ids])
        rows.append(np.where(inside, row[: len(inside)], -np.inf))
    largest = max(float(row.max()) for row in rows)
    exponents = [np.exp(row - largest) for row in rows]
    total = sum(float(row.sum()) for row in exponents)
    return [row / total for row in exponents]
