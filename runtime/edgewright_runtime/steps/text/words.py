"""Class scores of tokens to labelled words, and to what is named by several words together."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgewright_runtime.answer_types import Entity
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

_WORD = re.compile(r"\S+")
_OUTSIDE = "O"
# B- begins a name, I- goes on with one; E- and S- are the end of one and one of a single word.
_PREFIXES = ("B", "I", "E", "S")


class TagWords:
    """Logits of shape [1, tokens, classes] to the entities of a text, in their order.

    A word is what stands between spaces, and has the class of its first token: what a tagger is trained for. Words
    whose labels are `B-` and `I-` of one kind are one entity; with labels of another form each word is one. Words that
    did not fit into the model's length have no label.

    Args:
        package: Holds the labels.
        logits: Name of the graph's output.
    """

    def __init__(self, package: Package, *, logits: str) -> None:
        self._labels = package.manifest.labels
        self._logits = logits

    def __call__(self, values: NamedValues) -> dict[str, list[Entity]]:
        """Add `entities`: a list of `{"label", "score", "text", "start", "end", "words"}`.

        `start` and `end` are characters of the text, `words` its first and its last word, counted from 0.
        """
        text: str = values["text"]
        spans = [match.span() for match in _WORD.finditer(text)]
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
        for token, (special, (start, end)) in enumerate(
            zip(encoding.special_tokens_mask, encoding.offsets, strict=True)
        ):
            # Tokens of some vocabularies hold the space before their word.
            while start < end and text[start].isspace():
                start += 1  # noqa: PLW2901 - the token's own first letter
            if not special and start < end:
                firsts.setdefault(bisect_right(starts, start) - 1, token)
        found = {}
        for word, token in firsts.items():
            exponents = np.exp(rows[token] - rows[token].max())
            best = int(exponents.argmax())
            found[word] = (self._labels[best], float(exponents[best] / exponents.sum()))
        return found


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
