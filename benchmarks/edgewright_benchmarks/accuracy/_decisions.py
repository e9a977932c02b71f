"""Decisions of yes or no, many in a recording: frames that are speech, keywords that were said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._corpus import Sums, corpus_accuracy
from edgewright_benchmarks.result import Accuracy, Interval

# Of a recording; shape (decisions,).
Decisions = NDArray[np.bool_]
# Resamples of recordings for the interval of the AUC.
_RESAMPLES = 200


def f1_accuracy(
    name: str,
    found: Sequence[Decisions],
    baseline: Sequence[Decisions],
    expected: Sequence[Decisions],
    *,
    is_baseline: bool,
    max_drop: float | None,
    others: Mapping[str, Interval] | None = None,
) -> Accuracy:
    """F1 over all recordings as the first metric, called `name`; see `corpus_accuracy` for the rest."""
    return corpus_accuracy(
        name,
        _sums(found, expected),
        _sums(baseline, expected),
        is_baseline=is_baseline,
        max_drop=max_drop,
        others=dict(others or {}),
    )


def _sums(found: Sequence[Decisions], expected: Sequence[Decisions]) -> Sums:
    """What F1 is made of: twice the right yes, over all that were found and all that are right."""
    pairs = list(zip(found, expected, strict=True))
    right = np.array([2.0 * float((one & other).sum()) for one, other in pairs])
    return Sums(right, np.array([float(one.sum() + other.sum()) for one, other in pairs]))


def auc_over_recordings(scores: Sequence[NDArray[np.float64]], expected: Sequence[Decisions]) -> Interval | None:
    """The AUC of all scores, with an interval by resampling recordings.

    None where all that is expected is alike, or a score is not finite.
    """
    if not all(np.isfinite(one).all() for one in scores):
        return None
    whole = np.concatenate(expected)
    if whole.all() or not whole.any():
        return None
    # Here, not above: a refusal need not wait for scikit-learn.
    from sklearn.metrics import roc_auc_score

    value = float(roc_auc_score(whole, np.concatenate(scores)))
    random = np.random.default_rng(0)
    found = []
    for _ in range(_RESAMPLES):
        drawn = random.integers(0, len(scores), len(scores))
        labels = np.concatenate([expected[index] for index in drawn])
        if labels.any() and not labels.all():
            found.append(float(roc_auc_score(labels, np.concatenate([scores[index] for index in drawn]))))
    low, high = np.quantile(found, [0.025, 0.975]) if found else (0.0, 1.0)
    return Interval(value, min(value, float(low)), max(value, float(high)))
