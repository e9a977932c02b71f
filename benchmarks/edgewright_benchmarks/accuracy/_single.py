"""Two classes from one score: which side of a threshold it lies on decides, for the best of one column is always it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._outputs import NO_ANSWER, class_scores, top_classes
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.resampling import bootstrap
from edgewright_targets import InputError

# Scores of answers went through JSON, those of outputs did not.
_SAME = 1e-6
# For the interval of an AUC.
_RESAMPLES = 1000


def threshold_of(baseline: Sequence[Prediction]) -> float | None:
    """Above which a single score means class 1; None where a sample has several values.

    The baseline's predictions decide for all engines, see `cut_of`.
    """
    rows = [class_scores(prediction) for prediction in baseline]
    if any(row.size != 1 for row in rows):
        return None
    return cut_of(baseline)


def cut_of(baseline: Sequence[Prediction]) -> float:
    """Above which a score says yes: 0.5 of probabilities, 0 of logits.

    An answer beside the outputs tells them apart: its best score is that of the outputs, or was made of them. Without
    one, scores that all lie from 0 to 1 are taken for probabilities.
    """
    rows = [class_scores(prediction) for prediction in baseline]
    best = [_best_score(prediction) for prediction in baseline]
    pairs = [(row, score) for row, score in zip(rows, best, strict=True) if score is not None and np.isfinite(score)]
    if pairs:
        # Of two classes of one score, the score of the first is what the second leaves.
        same = (np.abs(np.concatenate([row, 1 - row]) - score).min() < _SAME for row, score in pairs)
        return 0.5 if all(same) else 0.0
    scores = np.concatenate(rows)
    scores = scores[np.isfinite(scores)]
    return 0.5 if scores.size and scores.min() >= 0 and scores.max() <= 1 else 0.0


def _best_score(prediction: Prediction) -> float | None:
    answer = prediction.answer
    if not (isinstance(answer, list) and answer and isinstance(answer[0], dict) and "score" in answer[0]):
        return None
    return float(answer[0]["score"])


def classes_of(predictions: Sequence[Prediction], threshold: float | None) -> NDArray[np.int64]:
    """The class that each sample is given, `NO_ANSWER` where a score is not finite; shape (samples,).

    Args:
        predictions: Of an engine.
        threshold: See `threshold_of`.

    Raises:
        InputError: A sample has several outputs, so that none is the scores.
    """
    best = top_classes(predictions)
    if threshold is None:
        return best
    return np.where(best == NO_ANSWER, NO_ANSWER, single_scores(predictions) > threshold).astype(np.int64)


def single_scores(predictions: Sequence[Prediction]) -> NDArray[np.float64]:
    """The score of each sample, not a number where an engine gives another number of them; shape (samples,)."""
    rows = [class_scores(prediction) for prediction in predictions]
    return np.array([row[0] if row.size == 1 else np.nan for row in rows])


def auc_of(predictions: Sequence[Prediction], labels: NDArray[np.int64]) -> Interval | None:
    """The area under the ROC curve of single scores, with an interval by resampling samples.

    None where only one class occurs or a score is not finite.
    """
    scores, yes = single_scores(predictions), labels == 1
    if yes.all() or not yes.any() or not np.isfinite(scores).all():
        return None
    # Here, not above: a refusal need not wait for scikit-learn.
    from sklearn.metrics import roc_auc_score

    value = float(roc_auc_score(yes, scores))

    def aucs(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        return auc_of_counts(scores, yes, counts)

    return bootstrap(value, aucs, len(scores), resamples=_RESAMPLES, of_counts=True)


def auc_of_counts(
    scores: NDArray[np.float64], yes: NDArray[np.bool_], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The AUC of the resamples that have both classes: the share of pairs in order, equal scores counting half."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    above = np.add.reduceat(counts[:, order] * yes[order], starts, axis=1)
    below = np.add.reduceat(counts[:, order] * ~yes[order], starts, axis=1)
    right = (above * (np.cumsum(below, axis=1) - below / 2)).sum(axis=1)
    pairs = above.sum(axis=1) * below.sum(axis=1)
    return np.asarray(right[pairs > 0] / pairs[pairs > 0], dtype=np.float64)


def check_width(labels: NDArray[np.int64], baseline: Sequence[Prediction]) -> None:
    """Refuse classes that a model has no scores for: no engine could be right about them, nor lose any.

    Raises:
        InputError: There are such.
    """
    width = max(class_scores(prediction).size for prediction in baseline)
    classes = max(width, 2)
    if labels.max() >= classes:
        scores = "one score, for 0 and 1" if width == 1 else f"{width} scores, of the classes 0 to {width - 1}"
        raise InputError(
            f"The ground truth has the class {labels.max()}; the model gives {scores}.",
            hint="Class indices start at 0. Leave the labels out to measure agreement with the float model.",
        )
