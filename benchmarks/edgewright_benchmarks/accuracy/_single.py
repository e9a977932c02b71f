"""Two classes from one score: which side of a threshold it lies on decides, for the best of one column is always it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._decisions import auc_over_recordings
from edgewright_benchmarks.accuracy._scorer import NO_ANSWER, Output, flatten, top_classes
from edgewright_benchmarks.result import Interval
from edgewright_targets import InputError


def threshold_of(baseline_outputs: Sequence[Output]) -> float | None:
    """Above which a single score means class 1; None where a sample has several values.

    It is 0.5 where all scores of the baseline are probabilities, from 0 to 1, else 0: logits, whose sigmoid is 0.5
    there. The baseline's outputs decide for all engines.
    """
    rows = [flatten(output) for output in baseline_outputs]
    if any(row.size != 1 for row in rows):
        return None
    scores = np.concatenate(rows)
    scores = scores[np.isfinite(scores)]
    return 0.5 if scores.size and scores.min() >= 0 and scores.max() <= 1 else 0.0


def classes_of(outputs: Sequence[Output], baseline_outputs: Sequence[Output]) -> NDArray[np.int64]:
    """The class that each sample is given, `NO_ANSWER` where a score is not finite; shape (samples,).

    Raises:
        InputError: A sample has several outputs, so that none is the scores.
    """
    threshold = threshold_of(baseline_outputs)
    best = top_classes(outputs)
    if threshold is None:
        return best
    scores = single_scores(outputs)
    return np.where(best == NO_ANSWER, NO_ANSWER, scores > threshold).astype(np.int64)


def single_scores(outputs: Sequence[Output]) -> NDArray[np.float64]:
    """The score of each sample, not a number where an engine gives another number of them; shape (samples,)."""
    rows = [flatten(output) for output in outputs]
    return np.array([row[0] if row.size == 1 else np.nan for row in rows])


def auc_of(outputs: Sequence[Output], labels: NDArray[np.int64]) -> Interval | None:
    """The area under the ROC curve of single scores; None where only one class occurs or a score is not finite."""
    return auc_over_recordings([np.array([score]) for score in single_scores(outputs)], list((labels == 1)[:, None]))


def check_width(labels: NDArray[np.int64], baseline_outputs: Sequence[Output]) -> None:
    """Refuse classes that a model has no scores for: no engine could be right about them, nor lose any.

    Raises:
        InputError: There are such.
    """
    width = max(flatten(output).size for output in baseline_outputs)
    classes = max(width, 2)
    if labels.max() >= classes:
        scores = "one score, which tells 0 from 1" if width == 1 else f"{width} scores, of the classes 0 to {width - 1}"
        raise InputError(
            f"The ground truth has the class {labels.max()}; the model gives {scores}.",
            hint="Class indices begin at 0. Leave the labels out to measure agreement with the float model.",
        )
