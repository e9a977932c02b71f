"""Decisions of yes or no, many in a recording: frames that are speech, keywords that were said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means, column_from_ratio
from edgewright_benchmarks.accuracy._corpus import Sums
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.statistics.resampling import bootstrap

# Of a recording; shape (decisions,).
Decisions = NDArray[np.bool_]
# Resamples of recordings for the interval of the AUC.
_RESAMPLES = 200


def f1_column(found: Sequence[Decisions], expected: Sequence[Decisions]) -> Means:
    """F1 over all recordings: twice the right yes, over all that were found and all that are right."""
    pairs = list(zip(found, expected, strict=True))
    right = np.array([2.0 * float((one & other).sum()) for one, other in pairs])
    return column_from_ratio(Sums(right, np.array([float(one.sum() + other.sum()) for one, other in pairs])))


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

    def aucs(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        found = []
        for row in rows:
            labels = np.concatenate([expected[index] for index in row])
            if labels.any() and not labels.all():
                found.append(float(roc_auc_score(labels, np.concatenate([scores[index] for index in row]))))
        return np.array(found)

    value = float(roc_auc_score(whole, np.concatenate(scores)))
    return bootstrap(value, aucs, len(scores), resamples=_RESAMPLES)
