"""Answers that are parts of a text: F1 of their words and exact match, as SQuAD counts them."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._mean import Scores, mean_accuracy, mean_interval
from edgewright_benchmarks.accuracy._scorer import answers_of, check_samples, check_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics.intervals import wilson

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)

_NO_ANSWERS = "An answer to a question can be told from an engine's answer only; there is none."


class LabelledAnswers:
    """Scores answers against one or several that are right; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 and exact match; the drop is that of F1; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"answers to {len(outputs)} questions")
        found = _texts(outputs)
        pairs = zip(found, truth, strict=True)
        exact = sum(any(_words(one) == _words(right) for right in rights) for one, rights in pairs)
        others = {"exact_match": wilson(exact, len(found))}
        baseline = None if outputs is baseline_outputs else _best(_texts(baseline_outputs), truth)
        return _accuracy("answer_f1", _best(found, truth), baseline, max_drop, others)


class AnswerAgreement:
    """Scores answers against those of the float baseline; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 with the baseline's answer for the right one; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        rights = [(text,) for text in _texts(baseline_outputs)]
        scores = _best(_texts(outputs), rights)
        baseline = None if outputs is baseline_outputs else np.ones_like(scores)
        return _accuracy("agreement", scores, baseline, max_drop, {})


def _accuracy(
    metric: str, scores: Scores, baseline: Scores | None, max_drop: float | None, others: dict[str, Interval]
) -> Accuracy:
    return mean_accuracy({metric: mean_interval(scores), **others}, scores, baseline, max_drop=max_drop)


def _best(found: Sequence[str], rights: Sequence[Sequence[str]]) -> Scores:
    return np.array([max(word_f1(one, right) for right in some) for one, some in zip(found, rights, strict=True)])


def word_f1(answer: str, right: str) -> float:
    """F1 of the words that two answers share, 0 to 1; articles, punctuation and case do not count."""
    one, other = _words(answer), _words(right)
    if not one or not other:
        return float(one == other)
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other))


def _words(answer: str) -> list[str]:
    return _ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split()


def _texts(outputs: Sequence[Prediction]) -> list[str]:
    return [str(answer["text"]) for answer in answers_of(outputs, _NO_ANSWERS)]
