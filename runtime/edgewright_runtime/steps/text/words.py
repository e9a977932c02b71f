"""Class scores of tokens to labelled words, and to what is named by several words together."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from edgewright_runtime.steps.text.crf import read_crf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgewright_runtime.answer_types import Entity
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

# Letters of scripts that are written without spaces: Thai to Myanmar, Khmer, kana, and the characters of Chinese.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_OUTSIDE = "O"
# B- begins a name, I- goes on with one; E- and S- are the end of one and one of a single word.
_PREFIXES = ("B", "I", "E", "S")


class TagWords:
    """Logits of shape [1, tokens, classes] to the entities of a text, in their order.

    A word is what stands between spaces, or one letter of a script without spaces (`words_of`). It has the class of its
    first token: what a tagger is trained for. Words whose labels are `B-` and `I-` of one kind are one entity; with
    labels of another form each word is one. Words that did not fit into the model's length have no label.

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
        tagged = self._tagged(values, text, [start for start, _ in spans])
        entities: list[Entity] = []
        for label, first, last in _groups(tagged):
            start, end = spans[first][0], spans[last][1]
            score = float(np.mean([tagged[word][1] for word in range(first, last + 1)]))
            entities.append(
                {
                    "label": label,
                    "score": score,
                    "text": text[start:end],
                    "start": start,
                    "end": end,
                    "words": [first, last],
                }
            )
        return {"entities": entities}

    def _tagged(self, values: NamedValues, text: str, starts: Sequence[int]) -> dict[int, tuple[str, float]]:
        """Word to its label and score."""
        encoding = values["encoding"]
        rows = values[self._logits][0][values["padding_before"] :]
        firsts: dict[int, int] = {}
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
            if start < end:
                firsts.setdefault(bisect_right(starts, start) - 1, token)
        if self._crf is not None and firsts:
            count = len(encoding.ids)
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

    >>> words_of("turn on 灯光 B2")
    [(0, 4), (5, 7), (8, 9), (9, 10), (11, 13)]
    """
    return [match.span() for match in _WORD.finditer(text)]


def _groups(tagged: Mapping[int, tuple[str, float]]) -> Iterator[tuple[str, int, int]]:
    """Kind, first and last word of each entity."""
    kind, first, last = "", -1, -2
    for word in sorted(tagged):
        label = tagged[word][0]
        prefix, dash, rest = label.partition("-")
        chained = dash == "-" and prefix in _PREFIXES
        goes_on = chained and prefix in ("I", "E") and rest == kind and word == last + 1
        if goes_on:
            last = word
        else:
            if kind:
                yield kind, first, last
            kind, first, last = ("" if label == _OUTSIDE else rest if chained else label), word, word
        if not chained or prefix in ("E", "S"):
            if kind:
                yield kind, first, last
            kind, last = "", -2
    if kind:
        yield kind, first, last
