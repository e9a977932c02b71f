"""A question about a document whose words and their boxes are known, answered by some of the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.errors import PackageError, SampleError
from edgewright_runtime.steps.text.length import encode, text_limit
from edgewright_runtime.steps.text.pairs import non_empty, padded_rows
from edgewright_runtime.steps.text.tokenize import ENCODING_FIELDS, read_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_runtime.answer_types import FoundWords
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

# Boxes go from 0 to this on both axes, whatever the size of the page.
BOX_LIMIT = 1000
# What the array of boxes is called.
_BOXES = "bbox"


class TokenizeDocument:
    """A question and the words of a document to int64 arrays of shape [windows, tokens], and [windows, tokens, 4].

    A document that does not fit is read in windows that overlap; each has the whole question.

    Args:
        package: Where the tokenizer lies.
        engine: Decides the padding; a graph of a fixed length has windows of exactly that.
        tokenizer: URI of `tokenizer.json`.
        outputs: Which values to make, such as `input_ids` and `bbox`.
        max_length: Tokens of a window at most, question and special tokens included.
        stride: Tokens that two windows share.
        pad_id: Token id of padding.
        truncation_side: From which end of the document windows are counted, `right` is from its start.
        end_id: Token that ends a text, which has a box of its own.
        end_box: That box. The question and the beginning have 0, 0, 0, 0.
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
        end_id: int | None = None,
        end_box: Sequence[int] = (BOX_LIMIT,) * 4,
    ) -> None:
        self._tokenizer = read_tokenizer(package, tokenizer)
        self._most = text_limit(self._tokenizer, str(package.root))
        # Of boxes the last axis is their sides, whatever the tokens are.
        fixed = engine.fixed_length([name for name in outputs if name != _BOXES])
        if fixed:
            max_length, stride = fixed, min(stride, fixed // 2)
        self._tokenizer.enable_truncation(max_length, stride=stride, strategy="only_second", direction=truncation_side)
        self._fields = {name: ENCODING_FIELDS[name] for name in outputs if name != _BOXES}
        self._boxed = _BOXES in outputs
        if not self._fields:
            raise ValueError("outputs name no array of tokens")
        if len(end_box) != 4:
            raise ValueError(f"end_box has {len(end_box)} numbers")
        self._pad = {"input_ids": pad_id}
        self._multiple = fixed or engine.spec.pad_to_multiple_of
        self._end_id, self._end_box = end_id, list(end_box)

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add the arrays of `question`, `words` and `boxes`, and the `encodings` of the windows.

        Raises:
            SampleError: The question is empty, the words are not texts with a box each, or there is no room for them.
        """
        question = non_empty(values["question"], "question")
        words, boxes = words_of(values["words"], self._most), boxes_of(values["boxes"])
        if len(words) != len(boxes):
            raise SampleError(f"The document has {len(words):,} words and {len(boxes):,} boxes; each word has one box.")
        try:
            # As the source: the question is split at spaces, so that its tokens are those of words as well.
            encoding = encode(self._tokenizer, self._most, question.split(), words, is_pretokenized=True)
        except PackageError as error:
            if type(error.__cause__) is not Exception:
                raise
            # What the library says of two texts that it cannot cut to the length.
            raise SampleError(f"The question is too long, so no word of the document fits: {question!r}.") from error
        windows = [encoding, *encoding.overflowing]
        if not any(1 in window.sequence_ids for window in windows):
            raise SampleError("No word of the document can be read: each is empty, or unknown to the tokenizer.")
        made = padded_rows(windows, self._fields, self._pad, self._multiple)
        if self._boxed:
            length = next(iter(made.values())).shape[1]
            made[_BOXES] = np.stack([self._boxes(window, boxes, length) for window in windows])
        return {"encodings": windows, **made}

    def _boxes(self, window: Any, boxes: np.ndarray[Any, Any], length: int) -> np.ndarray[Any, Any]:
        """The box of each token of a window, int64 [length, 4]."""
        found = np.zeros((length, 4), np.int64)
        tokens = zip(window.ids, window.sequence_ids, window.word_ids, strict=True)
        for row, (token, sequence, word) in zip(found, tokens, strict=False):
            if sequence == 1:
                row[:] = boxes[word]
            elif token == self._end_id:
                row[:] = self._end_box
        return found


class FindWords:
    """Logits of where an answer starts and ends, shape [windows, tokens] each, to the words between.

    As transformers' pipeline: each window for itself, with the token of the beginning among those that share the
    probability, which is never a part of the answer. The graph may have more places than tokens, such as those of a
    picture.

    Args:
        start: Name of the graph's output for starts.
        end: Name of the graph's output for ends.
        longest: Tokens of an answer at most.
        begin_id: Token that begins a window; None where there is none.
    """

    def __init__(self, *, start: str, end: str, longest: int, begin_id: int | None = None) -> None:
        if longest < 1:
            raise ValueError(f"longest is {longest}")
        self._start, self._end = start, end
        self._longest, self._begin_id = longest, begin_id

    def __call__(self, values: NamedValues) -> dict[str, FoundWords]:
        """Add `answer`: `{"text", "score", "words"}`, the first and the last word: the likeliest."""
        best: FoundWords = {"text": "", "score": 0.0, "words": []}
        logits = zip(values[self._start], values[self._end], values["encodings"], strict=True)
        for starts, ends, window in logits:
            one, other = (self._shares(row, window) for row in (starts, ends))
            # Both ends of all spans: those that run backwards or are too long are not answers.
            spans = np.tril(np.triu(np.outer(one, other)), self._longest - 1)
            first, last = divmod(int(spans.argmax()), spans.shape[1])
            score = float(spans[first, last])
            if score > best["score"]:
                begin, end = window.word_ids[first], window.word_ids[last]
                text = " ".join(values["words"][begin : end + 1])
                best = {"text": text, "score": score, "words": [begin, end]}
        return {"answer": best}

    def _shares(self, logits: Any, window: Any) -> np.ndarray[Any, Any]:
        """The probability of each token of the document; 0 for all others."""
        inside = np.array([sequence == 1 for sequence in window.sequence_ids])
        begins = np.array([token == self._begin_id for token in window.ids])
        counted = np.where(inside | begins, logits[: len(inside)].astype(np.float64), -np.inf)
        largest = counted.max()
        if not np.isfinite(largest):
            return np.zeros(len(inside))
        exponents = np.exp(counted - largest)
        shares: np.ndarray[Any, Any] = np.where(inside, exponents / exponents.sum(), 0.0)
        return shares


def words_of(words: Any, most: int) -> list[str]:
    """The words of a document.

    Args:
        words: A list of texts.
        most: Characters that all of them may have together.

    Raises:
        SampleError: They are not.
    """
    if not isinstance(words, (list, tuple)) or not words or not all(isinstance(word, str) for word in words):
        raise SampleError("The model takes the words of a document: a list of texts, which is not empty.")
    if sum(map(len, words)) > most:
        raise SampleError(f"The words of the document have more than {most:,} characters together.")
    return list(words)


def boxes_of(boxes: Any) -> np.ndarray[Any, Any]:
    """The boxes of words: left, top, right and bottom from 0 to 1000; int64, shape (words, 4).

    Raises:
        SampleError: They are not.
    """
    try:
        found = np.asarray(boxes, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        found = np.zeros(0)
    if found.ndim != 2 or found.shape[1] != 4:
        raise SampleError("The model takes a box for each word, a list of four numbers: left, top, right and bottom.")
    outside = ~((found >= 0) & (found <= BOX_LIMIT)).all(axis=1)
    outside |= (found[:, 2] < found[:, 0]) | (found[:, 3] < found[:, 1])
    if outside.any():
        place = int(outside.argmax())
        raise SampleError(
            f"The box {place + 1} is {[float(side) for side in found[place]]}; its sides are left, top, right and "
            f"bottom, from 0 to {BOX_LIMIT}.",
            hint=f"Divide pixels by the width and the height of the page, and multiply by {BOX_LIMIT}.",
        )
    return found.astype(np.int64)
