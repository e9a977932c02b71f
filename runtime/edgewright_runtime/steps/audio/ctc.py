"""Scores of a CTC model to a text: the likeliest path (greedy), or the likeliest text (beam search)."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import PackageError, SampleError
from edgewright_runtime.package_files import VOCABULARY_LIMIT_BYTES, FileTooLargeError, read_limited
from edgewright_runtime.steps.values import call_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

# Tokens of a frame that are e^-12 times as likely as its likeliest change no text; beams skip them.
_UNLIKELY = 12.0
_MOST_BEAMS = 1000


class CtcDecode:
    """Scores of shape [1, frames, tokens] to `text`; greedy as `Wav2Vec2CTCTokenizer.batch_decode`.

    Args:
        package: Holds the vocabulary.
        logits: Name of the graph's output.
        vocabulary: URI of a JSON file: `tokens` by id, the token `blank`, the token `delimiter` between words and the
            `space` that stands for it, whether text is made `lower`, and `replacements` (pairs, applied in order).
        num_beams: Texts that are kept in each frame; 1 is greedy. The option of that name of a call comes before it.
    """

    # What a call may say.
    def __init__(self, package: Package, *, logits: str, vocabulary: str, num_beams: int = 1) -> None:
        path = package.asset(vocabulary)
        try:
            entry = json.loads(read_limited(path, VOCABULARY_LIMIT_BYTES))
            self._tokens = [str(token) for token in entry["tokens"]]
            self._blank, self._delimiter, self._space = (str(entry[key]) for key in ("blank", "delimiter", "space"))
            self._lower = bool(entry["lower"])
            self._replacements = [(str(old), str(new)) for old, new in entry["replacements"]]
            self._blank_id = self._tokens.index(self._blank)
        except (OSError, ValueError, LookupError, TypeError, RecursionError, FileTooLargeError) as error:
            raise PackageError(f"'{package.root}': the vocabulary cannot be read: {error}.") from error
        _check_beams(num_beams)
        self._num_beams = num_beams
        self._logits = logits

    def __call__(self, values: NamedValues) -> dict[str, str]:
        """Add `text`; it is empty where a score is not finite."""
        logits = values[self._logits][0]
        beams = _check_beams(call_of(values).options.get("num_beams", self._num_beams))
        if logits.shape[-1] != len(self._tokens):
            raise LookupError(f"{logits.shape[-1]} scores for {len(self._tokens)} tokens")
        if not np.isfinite(logits).all():
            return {"text": ""}
        if beams == 1:
            path = [self._tokens[index] for index in logits.argmax(axis=-1).tolist()]
            # Repeats are joined by their spelling, as the source's tokenizer does it.
            return {"text": self._text([token for token, _ in groupby(path)])}
        ids = prefix_beam_search(log_softmax(logits), self._blank_id, beams)
        return {"text": self._text([self._tokens[index] for index in ids])}

    def _text(self, tokens: Sequence[str]) -> str:
        parts = [self._space if token == self._delimiter else token for token in tokens if token != self._blank]
        text = "".join(parts).strip()
        if self._lower:
            text = text.lower()
        for old, new in self._replacements:
            text = text.replace(old, new)
        return text


def _check_beams(beams: Any) -> int:
    if not isinstance(beams, int) or not 1 <= beams <= _MOST_BEAMS:
        raise SampleError(f"The number of beams must be from 1 to {_MOST_BEAMS:,}; found {beams!r}.")
    return beams


def log_softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Logarithms of probabilities along the last axis, in double precision."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    made: np.ndarray[Any, Any] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return made


def prefix_beam_search(
    log_probabilities: np.ndarray[Any, Any], blank: int, beams: int, *, unlikely: float = _UNLIKELY
) -> list[int]:
    """The likeliest sequence of tokens, summed over all its paths, as far as `beams` prefixes a frame can tell.

    Graves et al. (2006) with the bookkeeping of Hannun et al. (2014), without a language model: a prefix has the
    probabilities of its paths that end in a blank and of those that do not.

    Args:
        log_probabilities: Shape [frames, tokens].
        blank: Index of the blank.
        beams: Prefixes that are kept after each frame; with as many as there are, the answer is exact.
        unlikely: Tokens so much less likely than the likeliest of a frame, in nats, are skipped.
    """
    never = -np.inf
    # Prefixes are numbers, so that long ones cost no more than short ones: parent and last token of each.
    parents, lasts, children = [0], [-1], dict[tuple[int, int], int]()
    live: dict[int, tuple[float, float]] = {0: (0.0, never)}
    for row in log_probabilities:
        likely = [(int(token), float(row[token])) for token in np.flatnonzero(row >= row.max() - unlikely)]
        found: dict[int, tuple[float, float]] = {}
        for prefix, (in_blank, in_token) in live.items():
            both = _add(in_blank, in_token)
            for token, score in likely:
                if token == blank:
                    _count(found, prefix, both + score, never)
                    continue
                if token == lasts[prefix]:
                    # Said again without a blank between: the same prefix. After a blank: a longer one.
                    _count(found, prefix, never, in_token + score)
                    grown = in_blank + score
                else:
                    grown = both + score
                if grown == never:
                    continue
                child = children.setdefault((prefix, token), len(parents))
                if child == len(parents):
                    parents.append(prefix)
                    lasts.append(token)
                _count(found, child, never, grown)
        best = sorted(found.items(), key=lambda entry: -_add(*entry[1]))[:beams]
        live = dict(best)
    prefix = max(live, key=lambda entry: _add(*live[entry]))
    ids: list[int] = []
    while prefix:
        ids.append(lasts[prefix])
        prefix = parents[prefix]
    return ids[::-1]


def _count(found: dict[int, tuple[float, float]], prefix: int, in_blank: float, in_token: float) -> None:
    old = found.get(prefix)
    found[prefix] = (in_blank, in_token) if old is None else (_add(old[0], in_blank), _add(old[1], in_token))


def _add(first: float, second: float) -> float:
    """The logarithm of the sum of two numbers given by their logarithms."""
    if first < second:
        first, second = second, first
    return first if second == -np.inf else first + float(np.log1p(np.exp(second - first)))
