"""CIDEr-D of captions: which sequences of one to four words they share with right ones, rare ones weighing more.

R. Vedantam, C. L. Zitnick, D. Parikh, CIDEr: Consensus-based Image Description Evaluation, CVPR 2015. For sequences of
n words, with g the counts of a text times log(pictures / pictures whose right texts have the sequence), l the length of
a text in words, c the caption and s_1 ... s_m the right texts of its picture,

    CIDEr-D_n = 10/m * sum of exp(-(l(c) - l(s_j))^2 / (2 * 6^2)) * min(g(c), g(s_j)) . g(s_j) / (|g(c)| |g(s_j)|)

and CIDEr-D is the mean of the four. The well-known implementation comes with Java programs of 100 MB that other metrics
need; a test compares this one with its figures.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from edgewright_benchmarks.accuracy._columns import Floats, mean_interval
from edgewright_benchmarks.engine_result import Interval

LONGEST = 4
HIGHEST = 10.0
_DEVIATION = 6.0
# Words, with the punctuation inside them; other punctuation is not a word. The metric is defined on words without case.
_WORD = re.compile(r"\w+(?:['\N{RIGHT SINGLE QUOTATION MARK}-]\w+)*")

Pieces = Counter[tuple[str, ...]]
Weights = list[dict[tuple[str, ...], float]]


def cider_d(texts: Sequence[str], rights: Sequence[Sequence[str]]) -> Floats:
    """CIDEr-D of each text, 0 to 10; shape (texts,).

    What a sequence of words weighs depends on all right texts that are given: scores of other data are not a measure.

    Args:
        texts: A caption for each picture.
        rights: One or several right ones for each.
    """
    counted = [[_pieces(right) for right in some] for some in rights]
    seen = Counter(piece for some in counted for piece in set().union(*some))
    found = []
    for text, some in zip(texts, counted, strict=True):
        written = _pieces(text)
        mine = _weights(written, seen, len(rights))
        alike = [_likeness(written, mine, right, _weights(right, seen, len(rights))) for right in some]
        found.append(HIGHEST * sum(alike) / len(alike))
    return np.array(found)


def cider_interval(scores: Floats) -> Interval:
    """The mean of such scores with its t interval, two-sided 95 %, 0 to 10."""
    share = mean_interval(scores / HIGHEST)
    return Interval(HIGHEST * share.value, HIGHEST * share.low, HIGHEST * share.high, share.confidence)


def _pieces(text: str) -> Pieces:
    """All sequences of one to four words, and how often each is there."""
    words = _WORD.findall(text.casefold())
    return Counter(
        tuple(words[start : start + size]) for size in range(1, LONGEST + 1) for start in range(len(words) - size + 1)
    )


def _weights(pieces: Pieces, seen: Pieces, pictures: int) -> Weights:
    """The vector g for each length: one that no right text has weighs as if one picture had it."""
    made: Weights = [{} for _ in range(LONGEST)]
    for piece, count in pieces.items():
        made[len(piece) - 1][piece] = count * math.log(pictures / max(1, seen[piece]))
    return made


def _likeness(written: Pieces, mine: Weights, right: Pieces, theirs: Weights) -> float:
    """The mean of CIDEr-D_n / 10 for one right text."""
    longer = sum(count for piece, count in written.items() if len(piece) == 1)
    longer -= sum(count for piece, count in right.items() if len(piece) == 1)
    cosines = []
    for one, two in zip(mine, theirs, strict=True):
        lengths = _length(one) * _length(two)
        shared = sum(min(weight, two[piece]) * two[piece] for piece, weight in one.items() if piece in two)
        cosines.append(shared / lengths if lengths else 0.0)
    return math.exp(-(longer**2) / (2 * _DEVIATION**2)) * sum(cosines) / LONGEST


def _length(weights: dict[tuple[str, ...], float]) -> float:
    return math.sqrt(sum(weight**2 for weight in weights.values()))
