"""Answers to questions about documents: the average normalized Levenshtein similarity (ANLS), and exact match.

A. F. Biten et al., Scene Text Visual Question Answering, 2019, section 4: 1 minus the edit distance over the length of
the longer text, 0 where that is less than a half, the best of all right answers, then the mean over questions. Case
does not count, and spaces are one, as in the evaluation of DocVQA (M. Mathew et al., 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import wilson

# Of each question one or several.
_Rights = Sequence[Sequence[str]]

# Below it an answer is another one, and not a misread one.
_LEAST = 0.5
_NO_ANSWERS = (
    "Answers to questions are scored by the pipeline's output. This engine gave only the outputs of its graph."
)


class LabelledDocumentAnswers(Metric[_Rights]):
    """Answers against one or several that are right."""

    names = ("anls", "exact_match")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> _Rights:
        """The right answers."""
        return check_ground_truth(ground_truth, baseline, f"answers to {len(baseline)} questions")

    def scores(self, predictions: Sequence[Prediction], reference: _Rights) -> Scores:
        """ANLS and exact match."""
        found = [str(answer["text"]) for answer in answers_of(predictions, _NO_ANSWERS)]
        best = [max(anls(one, right) for right in rights) for one, rights in zip(found, reference, strict=True)]
        return Scores("anls", Means(np.array(best)), {"exact_match": wilson(sum(one == 1 for one in best), len(best))})


def anls(answer: str, right: str) -> float:
    """How like the right answer one is, 0 to 1.

    >>> from edgewright_benchmarks.accuracy.documents import anls
    >>> anls("  12,50 EUR", "12.50 eur"), anls("Monday", "Friday"), anls("Mon", "Sunday")
    (0.8888888888888888, 0.5, 0.0)
    """
    # Here, not above: a refusal need not wait for it.
    from rapidfuzz.distance import Levenshtein

    found: float = Levenshtein.normalized_similarity(_plain(answer), _plain(right))
    return found if found >= _LEAST else 0.0


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
