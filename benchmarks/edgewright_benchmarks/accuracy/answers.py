"""Answers that are parts of a text: F1 of their words and exact match, as SQuAD counts them.

In scripts that are written without spaces each letter is a word, and all punctuation of Unicode is left out, as MLQA
counts Chinese.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_runtime.steps.text.words import is_unspaced, words_of

# One or several for each question.
ReferenceTexts = Sequence[Sequence[str]]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)

_NO_ANSWERS = (
    "Answers to questions are scored by the pipeline's output. This engine gave only the outputs of its graph."
)


class LabelledAnswers(Metric[ReferenceTexts]):
    """Answers against one or several that are right."""

    names = ("answer_f1", "exact_match")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> ReferenceTexts:
        """The right answers."""
        return check_ground_truth(ground_truth, baseline, f"answers to {len(baseline)} questions")

    def scores(self, predictions: Sequence[Prediction], reference: ReferenceTexts) -> Scores:
        """F1 and exact match."""
        found = _texts(predictions)
        pairs = zip(found, reference, strict=True)
        exact = sum(any(_words(one) == _words(right) for right in rights) for one, rights in pairs)
        return Scores("answer_f1", _best(found, reference), {"exact_match": wilson(exact, len(found))})


class AnswerAgreement(Agreement[ReferenceTexts]):
    """Answers against those of the float baseline."""

    names = ("agreement",)

    def baseline_reference(self, baseline: Sequence[Prediction]) -> ReferenceTexts:
        """The baseline's answers."""
        return [(text,) for text in _texts(baseline)]

    def scores(self, predictions: Sequence[Prediction], reference: ReferenceTexts) -> Scores:
        """F1 with the baseline's answer for the right one."""
        return Scores("agreement", _best(_texts(predictions), reference))


def _best(found: Sequence[str], rights: ReferenceTexts) -> Means:
    best = [max(word_f1(one, right) for right in some) for one, some in zip(found, rights, strict=True)]
    return Means(np.array(best))


def word_f1(answer: str, right: str) -> float:
    """F1 of the words that two answers share, 0 to 1; articles, punctuation and case do not count.

    >>> word_f1("北京的故宫。", "故宫")
    0.5714285714285714
    """
    one, other = _words(answer), _words(right)
    if not one or not other:
        return float(one == other)
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other))


def _words(answer: str) -> list[str]:
    text = answer.lower().translate(_PUNCTUATION)
    if is_unspaced(text):
        text = "".join(sign for sign in text if not unicodedata.category(sign).startswith("P"))
    text = _ARTICLES.sub(" ", text)
    return [text[start:end] for start, end in words_of(text)]


def _texts(predictions: Sequence[Prediction]) -> list[str]:
    return [str(answer["text"]) for answer in answers_of(predictions, _NO_ANSWERS)]
