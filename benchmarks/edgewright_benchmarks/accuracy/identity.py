"""Vectors of things that have an identity, such as faces and voices: which is whose, and whether two are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Flags
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import flatten
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.resampling import around, resampled_counts
from edgewright_targets import InputError

Identities = NDArray[np.int64]
Vectors = NDArray[np.float64]

# Samples whose pairs are compared, drawn where there are more: pairs grow with the square.
_PAIRED = 600
# For the intervals over pairs.
_RESAMPLES = 100


class LabelledIdentities(Metric[Identities]):
    """Vectors against identities, by their cosines.

    A sample is identified if the nearest of all others has its identity; one that is alone with its identity is not
    counted. Verification asks of each pair whether both are the same: the AUC of the cosines, and the error rate at the
    threshold where both kinds of error are equally frequent.
    """

    names = ("identification", "verification_auc", "equal_error_rate")
    # Of vectors hardly two are the same.
    repeats = False

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Identities:
        """The identity of each sample, as a number."""
        truth = check_ground_truth(ground_truth, baseline, f"the identity of each of {len(baseline)} samples")
        names, identities, counts = np.unique(np.array(truth, np.str_), return_inverse=True, return_counts=True)
        if len(names) < 2 or counts.max() < 2:
            raise InputError(
                f"There are {len(names)} identities, with {counts.max()} samples each at most.",
                hint="Comparing needs two identities, and two samples of one of them.",
            )
        return identities.astype(np.int64)

    def scores(self, predictions: Sequence[Prediction], reference: Identities) -> Scores:
        """Top-1 identification, and verification over pairs. A vector that is not finite is like no other."""
        vectors = _unit(predictions)
        counts = np.bincount(reference)
        several = counts[reference] > 1
        right = _nearest(vectors, reference)[several]
        chosen = np.sort(np.random.default_rng(0).permutation(len(vectors))[:_PAIRED])
        return Scores("identification", Flags(right), _verification(vectors[chosen], reference[chosen]))


def _unit(predictions: Sequence[Prediction]) -> Vectors:
    rows = [_row(prediction) for prediction in predictions]
    size = max(row.size for row in rows)
    found = np.stack([row if row.size == size else np.full(size, np.nan) for row in rows])
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.where(lengths > 0, found / np.where(lengths > 0, lengths, 1), np.nan)


def _row(prediction: Prediction) -> NDArray[np.float64]:
    """What a person gets, where that is a vector; else the outputs."""
    answer = prediction.answer
    return flatten(prediction) if answer is None else np.asarray(answer, np.float64).reshape(-1)


def _nearest(vectors: Vectors, identities: Identities) -> NDArray[np.bool_]:
    """Whether the nearest other sample has the identity of each; of equally near ones a wrong one counts."""
    right = np.zeros(len(vectors), dtype=bool)
    for index, vector in enumerate(vectors):
        cosines = vectors @ vector
        cosines = np.where(np.isfinite(cosines), cosines, -np.inf)
        same = identities == identities[index]
        same[index] = False
        wrong = identities != identities[index]
        best = cosines[same].max(initial=-np.inf)
        right[index] = bool(np.isfinite(best) and best > cosines[wrong].max(initial=-np.inf))
    return right


def _verification(vectors: Vectors, identities: Identities) -> dict[str, Interval]:
    """AUC and equal error rate over pairs, with intervals by resampling samples; nothing where all pairs are alike."""
    one, other = np.triu_indices(len(vectors), 1)
    cosines = (vectors[one] * vectors[other]).sum(axis=1)
    # Of no use to verification, which has to answer all the same: no.
    cosines = np.where(np.isfinite(cosines), cosines, -2.0)
    same = identities[one] == identities[other]
    if same.all() or not same.any():
        return {}
    whole = _rates(same, cosines, np.ones(len(same)))
    drawn = []
    for counts in resampled_counts(len(vectors), _RESAMPLES):
        for row in counts:
            weights = (row[one] * row[other]).astype(np.float64)
            if weights[same].any() and weights[~same].any():
                drawn.append(_rates(same, cosines, weights))
    spread = np.array(drawn).reshape(-1, 2)
    return {
        "verification_auc": around(whole[0], spread[:, 0]),
        "equal_error_rate": around(whole[1], spread[:, 1]),
    }


def _rates(same: NDArray[np.bool_], cosines: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """AUC, and the equal error rate: where wrong yes and wrong no are as frequent, between two thresholds by a line."""
    # Here, not above: a refusal need not wait for scikit-learn.
    from sklearn.metrics import auc, roc_curve

    kept = weights > 0
    wrong_yes, right_yes, _ = roc_curve(same[kept], cosines[kept], sample_weight=weights[kept])
    gaps = wrong_yes - (1 - right_yes)
    equal = float(np.interp(0.0, gaps, wrong_yes))
    return float(auc(wrong_yes, right_yes)), equal
