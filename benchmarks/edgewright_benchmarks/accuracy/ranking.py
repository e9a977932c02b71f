"""Passages that are ordered for a query: nDCG, reciprocal rank and average precision, each a mean over queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._columns import Floats, Means, mean_interval
from edgewright_benchmarks.accuracy._metric import WHOLE, Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import flatten
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_targets import InputError

# As benchmarks of retrieval have it, such as BEIR.
_BEST = 10


class LabelledRanking(Metric[Sequence[Sequence[float]]]):
    """The order of passages against how relevant they are."""

    names = ("ndcg_at_10", "mrr_at_10", "mean_average_precision")

    def reference(
        self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /
    ) -> Sequence[Sequence[float]]:
        """The relevance of the passages of each query."""
        return check_ground_truth(ground_truth, baseline, f"the relevance of passages, of {len(baseline)} queries")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Sequence[float]]) -> Scores:
        """The nDCG of the best 10, and metrics of relevant or not.

        These are the reciprocal rank of the first relevant passage among the best 10, and the average precision. Of
        equal scores the order is not known: nDCG and the average precision take the mean, and the reciprocal rank the
        worst.
        """
        pairs = zip(predictions, reference, strict=True)
        each = [_of_query(flatten(prediction), np.asarray(right, np.float64)) for prediction, right in pairs]
        first, *others = np.array(each, dtype=np.float64).T
        named = zip(self.names[1:], others, strict=True)
        return Scores(self.names[0], Means(first), {name: mean_interval(values) for name, values in named})


class RankingAgreement(Agreement[Sequence[Floats]]):
    """The share of pairs of passages that an engine puts in the same order as the float baseline."""

    names = ("agreement", "top_1_agreement")
    bounded = True

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Sequence[Floats]:
        """The baseline's scores of the passages of each query."""
        return [flatten(prediction) for prediction in baseline]

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Floats]) -> Scores:
        """The mean over queries, and how often the first passage is the same."""
        pairs = [(flatten(one), other) for one, other in zip(predictions, reference, strict=True)]
        shares = np.array([_same_order(*pair) for pair in pairs])
        first = sum(_comparable(one, other) and one.argmax() == other.argmax() for one, other in pairs)
        return Scores("agreement", Means(shares), {"top_1_agreement": wilson(int(first), len(pairs))})

    def by_definition(self, samples: int, /) -> Scores:
        """The same order."""
        return Scores("agreement", Means(np.ones(samples)), {"top_1_agreement": WHOLE}, WHOLE)


def _of_query(scores: Floats, right: Floats) -> tuple[float, float, float]:
    """nDCG, reciprocal rank and average precision; all 0 where a score is not finite, for then there is no order.

    Raises:
        InputError: There is another number of scores than of passages.
    """
    if scores.size != right.size:
        raise InputError(f"A query has {right.size} passages, but the model gives {scores.size} scores.")
    if not np.isfinite(scores).all():
        return 0.0, 0.0, 0.0
    # Here, not above: a refusal need not wait for scikit-learn.
    from sklearn.metrics import average_precision_score, ndcg_score

    relevant = right > 0
    best = scores[relevant].max()
    before = int((~relevant & (scores >= best)).sum())
    reciprocal = 1 / (before + 1) if before < _BEST else 0.0
    ndcg = float(ndcg_score(right[None], scores[None], k=_BEST))
    return ndcg, reciprocal, float(average_precision_score(relevant, scores))


def _comparable(one: Floats, other: Floats) -> bool:
    return one.shape == other.shape and bool(np.isfinite(one).all() and np.isfinite(other).all())


def _same_order(scores: Floats, expected: Floats) -> float:
    """The share of pairs that the baseline orders and an engine orders alike; equal scores are half a pair."""
    if not _comparable(scores, expected):
        return 0.0
    first, second = np.triu_indices(expected.size, 1)
    wanted = np.sign(expected[first] - expected[second])
    made = np.sign(scores[first] - scores[second])
    told = wanted != 0
    if not told.any():
        return 1.0
    return float(np.mean((1 + made[told] * wanted[told]) / 2))
