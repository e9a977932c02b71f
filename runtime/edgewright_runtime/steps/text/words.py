"""Class scores of tokens to labelled words, and to what is named by several words together."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edgewright_runtime.steps.text.crf import read_crf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgewright_runtime.answer_types import Entity
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

    Array = np.ndarray[Any, Any]

# Letters of scripts that are written without spaces: Thai to Myanmar, Khmer, kana, and the characters of Chinese. Their
# punctuation and that of full width stands without spaces too, so each sign is a word. Letters and digits of full width
# are not here: like others they are a word together.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff9f\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_LETTER = re.compile(f"[{_UNSPACED}]")
_OUTSIDE = "O"
# B- begins a name, I- goes on with one; E- and S- are the end of one and one of a single word.
_PREFIXES = ("B", "I", "E", "S")


class _Tagged(NamedTuple):
    """What one label stands for: the first and the last word of it are the same in most cases."""

    label: str
    score: float
    first: int
    last: int


class TagWords:
    """Logits of shape [1, tokens, classes] to the entities of a text, in their order.

    A word is what stands between spaces, or one letter of a script without spaces (`words_of`). It has the class of its
    first token: what a tagger is trained for. A token of several words gives them one class together. Words whose
    labels are `B-` and `I-` of one kind are one entity; with labels of another form each word is one. Words that did
    not fit into the model's length have no label.

    Args:
        package: Holds the labels.
        logits: Name of the graph's output.
        crf: URI of the scores between labels (see `Crf`); empty where each word is judged by itself.
    """

    def __init__(self, package: Package, *, logits: str, crf: str = "") -> None:
        self._labels = package.manifest.labels
        self._logits = logits
        self._crf = read_crf(package, crf, len(self._labels)) if crf else None

    def __call__(self, values: NamedValues) -> dict[str, list[Entity]]:
        """Add `entities`: a list of `{"label", "score", "text", "start", "end", "words"}`.

        `start` and `end` are characters of the text, `words` its first and its last word, counted from 0.
        """
        text: str = values["text"]
        spans = words_of(text)
        entities: list[Entity] = []
        for label, parts in _groups(self._tagged(values, text, [start for start, _ in spans])):
            first, last = parts[0].first, parts[-1].last
            start, end = spans[first][0], spans[last][1]
            entities.append(
                {
                    "label": label,
                    "score": float(np.mean([part.score for part in parts])),
                    "text": text[start:end],
                    "start": start,
                    "end": end,
                    "words": [first, last],
                }
            )
        return {"entities": entities}

    def _tagged(self, values: NamedValues, text: str, starts: Sequence[int]) -> list[_Tagged]:
        """The labels of the words that have one, in their order."""
        encoding = values["encoding"]
        rows = values[self._logits][0][values["padding_before"] :]
        firsts: dict[int, int] = {}
        lasts: dict[int, int] = {}
        inside = []
        for token, (special, (start, end)) in enumerate(
            zip(encoding.special_tokens_mask, encoding.offsets, strict=True)
        ):
            # Tokens of some vocabularies hold the space before their word.
            while start < end and text[start].isspace():
                start += 1  # noqa: PLW2901 - the token's own first letter
            if special:
                continue
            inside.append(token)
            word = bisect_right(starts, start) - 1
            if start < end:
                firsts.setdefault(word, token)
                # Pieces of SentencePiece hold several letters of scripts without spaces.
                lasts[word] = max(lasts.get(word, word), bisect_left(starts, end) - 1)
        words = sorted(firsts)
        labels = self._labels_of(rows, words, firsts, inside, len(encoding.ids))
        nexts = [*words[1:], len(starts)]
        return [
            _Tagged(*labels[word], word, min(lasts[word], after - 1)) for word, after in zip(words, nexts, strict=True)
        ]

    def _labels_of(
        self, rows: Array, words: Sequence[int], firsts: Mapping[int, int], inside: Sequence[int], count: int
    ) -> dict[int, tuple[str, float]]:
        """Word to its label and score: of its own scores, or of the likeliest labels of all."""
        if self._crf is not None and words:
            steps = {"tokens": list(range(count)), "text": inside, "words": sorted(firsts.values())}[self._crf.over]
            judged = dict(zip(steps, zip(*self._crf(rows[steps]), strict=True), strict=True))
            return {word: (self._labels[judged[token][0]], float(judged[token][1])) for word, token in firsts.items()}
        found = {}
        for word, token in firsts.items():
            exponents = np.exp(rows[token] - rows[token].max())
            best = int(exponents.argmax())
            found[word] = (self._labels[best], float(exponents[best] / exponents.sum()))
        return found


def words_of(text: str) -> list[tuple[int, int]]:
    """Where each word of a text begins and ends: what stands between spaces, or a letter of a script without them.

    Signs of punctuation of these scripts are words by themselves.

    >>> words_of("turn on 灯光 B2，")
    [(0, 4), (5, 7), (8, 9), (9, 10), (11, 13), (13, 14)]
    """
    return [match.span() for match in _WORD.finditer(text)]


def is_unspaced(text: str) -> bool:
    """Whether a text has letters or signs of scripts that are written without spaces.

    >>> is_unspaced("turn on"), is_unspaced("打开")
    (False, True)
    """
    return _LETTER.search(text) is not None


def _groups(tagged: Sequence[_Tagged]) -> Iterator[tuple[str, list[_Tagged]]]:
    """Kind of each entity, and what it is made of."""
    kind = ""
    parts: list[_Tagged] = []
    for one in tagged:
        prefix, dash, rest = one.label.partition("-")
        chained = dash == "-" and prefix in _PREFIXES
        follows = bool(parts) and one.first == parts[-1].last + 1
        if chained and prefix in ("I", "E") and rest == kind and follows:
            parts.append(one)
        else:
            if kind:
                yield kind, parts
            kind, parts = "" if one.label == _OUTSIDE else rest if chained else one.label, [one]
        if not chained or prefix in ("E", "S"):
            if kind:
                yield kind, parts
            kind, parts = "", []
    if kind:
        yield kind, parts
