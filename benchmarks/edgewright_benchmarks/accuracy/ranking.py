"""Passages that are ordered for a query: nDCG, reciprocal rank and average precision, each a mean over queries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._mean import likeness_accuracy, mean_accuracy, mean_interval
from edgewright_benchmarks.accuracy._scorer import NO_DROP, check_samples, check_truth, flatten
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_targets import InputError

Scores = NDArray[np.float64]

# As benchmarks of retrieval have it, such as BEIR.
_BEST = 10


class LabelledRanking:
    """Scores the order of passages against how relevant they are; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Sequence[float]] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The nDCG of the best 10, which the drop is of, and metrics of relevant or not; see `Scorer.score`.

        These are the reciprocal rank of the first relevant passage among the best 10, and the average precision. Of
        equal scores the order is not known: nDCG and the average precision take the mean, and the reciprocal rank the
        worst.
        """
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"the relevance of passages, of {len(outputs)} queries")
        found = _of_queries(outputs, truth)
        metrics = {name: mean_interval(scores) for name, scores in found.items()}
        baseline = None if outputs is baseline_outputs else _of_queries(baseline_outputs, truth)["ndcg_at_10"]
        return mean_accuracy(metrics, found["ndcg_at_10"], baseline, max_drop=max_drop)


class RankingAgreement:
    """The share of pairs of passages that an engine puts in the same order as the float baseline; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Sequence[float]] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The mean over queries, and how often the first passage is the same; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        whole = Interval(1.0, 1.0, 1.0)
        if outputs is baseline_outputs:
            return Accuracy({"agreement": whole, "top_1_agreement": whole}, NO_DROP, len(outputs))
        pairs = [(flatten(one), flatten(other)) for one, other in zip(outputs, baseline_outputs, strict=True)]
        shares = np.array([_same_order(*pair) for pair in pairs])
        first = sum(_comparable(one, other) and one.argmax() == other.argmax() for one, other in pairs)
        return likeness_accuracy(shares, {"top_1_agreement": wilson(int(first), len(pairs))}, max_drop=max_drop)


def _of_queries(outputs: Sequence[Prediction], truth: Sequence[Sequence[float]]) -> dict[str, Scores]:
    pairs = [(flatten(output), np.asarray(right, np.float64)) for output, right in zip(outputs, truth, strict=True)]
    each = [_of_query(scores, right) for scores, right in pairs]
    names = ("ndcg_at_10", "mrr_at_10", "mean_average_precision")
    return dict(zip(names, np.array(each, dtype=np.float64).T, strict=True))


def _of_query(scores: Scores, right: Scores) -> tuple[float, float, float]:
    """nDCG, reciprocal rank and average precision; all 0 where a score is not finite, for then there is no order.

    Raises:
        InputError: There is another number of scores than of passages.
    """
    if scores.size != right.size:
        raise InputError(f"A query has {right.size} passages, and the model gives {scores.size} scores.")
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


def _comparable(one: Scores, other: Scores) -> bool:
    return one.shape == other.shape and bool(np.isfinite(one).all() and np.isfinite(other).all())


def _same_order(scores: Scores, expected: Scores) -> float:
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
