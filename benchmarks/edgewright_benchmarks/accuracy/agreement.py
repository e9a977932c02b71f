"""Without labels: how far an engine agrees with the float baseline, whose own agreement is 1 by definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Flags, Means
from edgewright_benchmarks.accuracy._metric import WHOLE, Agreement, Scores, all_agree
from edgewright_benchmarks.accuracy._outputs import NO_ANSWER, flatten, texts_among, top_classes
from edgewright_benchmarks.accuracy._single import classes_of, threshold_of
from edgewright_benchmarks.accuracy.classification import classes_differ, is_among
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_runtime.gaps import largest_gap, odd_places


@dataclass(frozen=True)
class _Baseline:
    """The classes of the float baseline, shape (samples,), and how single scores are read; see `threshold_of`."""

    classes: NDArray[np.int64]
    threshold: float | None


class TopClassAgreement(Agreement[_Baseline]):
    """The share of samples for which the engine puts the same class first."""

    names = ("agreement",)
    bounded = True

    def baseline_reference(self, baseline: Sequence[Prediction]) -> _Baseline:
        """The baseline's classes."""
        threshold = threshold_of(baseline)
        return _Baseline(classes_of(baseline, threshold), threshold)

    def scores(self, predictions: Sequence[Prediction], reference: _Baseline) -> Scores:
        """A sample that the baseline itself has no finite answer for is agreed on by nobody."""
        same = classes_of(predictions, reference.threshold) == reference.classes
        return Scores("agreement", Flags(same & (reference.classes != NO_ANSWER)))

    def by_definition(self, samples: int, /) -> Scores:
        """All of them."""
        return all_agree(samples)

    def changed(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> Sequence[bool | None]:
        """Whether each sample has another class than with the baseline."""
        return classes_differ(predictions, baseline)


class SimilarityAgreement(Agreement[Sequence[Prediction]]):
    """The mean similarity of an engine's outputs with the baseline's, for outputs of any kind; see `similarity`.

    Args:
        top: Where there is one output of more values than this, which may be scores of classes, also give the shares of
            samples whose best one is the baseline's, and whose `top` best ones hold it.
    """

    bounded = True

    def __init__(self, top: int | None = None) -> None:
        self._top = top
        self.names = ("agreement",) if top is None else ("agreement", "top_1_agreement", f"top_{top}_agreement")

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Sequence[Prediction]:
        """The baseline's predictions."""
        return baseline

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Prediction]) -> Scores:
        """The similarity of each sample."""
        alike = np.array([similarity(*pair) for pair in zip(predictions, reference, strict=True)])
        return Scores("agreement", Means(alike), self._of_classes(predictions, reference))

    def baseline_scores(self, baseline: Sequence[Prediction], reference: Sequence[Prediction]) -> Scores:
        """All metrics are 1, by definition."""
        others = dict.fromkeys(self._of_classes(baseline, reference), WHOLE)
        return Scores("agreement", Means(np.ones(len(baseline))), others, WHOLE)

    def _of_classes(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> dict[str, Interval]:
        if self._top is None or any(not _may_be_scores(prediction, self._top) for prediction in baseline):
            return {}
        best = top_classes(baseline)
        first = int(((top_classes(predictions) == best) & (best != NO_ANSWER)).sum())
        among = sum(
            label != NO_ANSWER and is_among(prediction, int(label), self._top)
            for prediction, label in zip(predictions, best, strict=True)
        )
        return {
            "top_1_agreement": wilson(first, len(best)),
            f"top_{self._top}_agreement": wilson(among, len(best)),
        }


def _may_be_scores(prediction: Prediction, top: int) -> bool:
    """One row of numbers, more of them than `top`."""
    arrays = list(prediction.outputs.values())
    return len(arrays) == 1 and arrays[0].size > top and arrays[0].size == arrays[0].shape[-1]


def similarity(prediction: Prediction, baseline: Prediction) -> float:
    """How alike the outputs of one sample are, all outputs in one row: 0 (nothing in common) to 1 (equal).

    `2 a.b / (a.a + b.b)`: the cosine similarity where both rows are equally long, and less than it where they are
    not. The cosine alone would call outputs equal that differ by any factor, and single numbers by all but their
    sign. Opposite outputs, outputs of another size, other texts, and NaN or infinities of one side alone count as 0.
    """
    if not _same_texts(prediction, baseline):
        return 0.0
    row, other = flatten(prediction), flatten(baseline)
    if row.shape != other.shape or odd_places(row, other).any():
        return 0.0
    # What both have in the same place, such as the scores of masked classes, is not a difference.
    finite = np.isfinite(other)
    row, other = row[finite], other[finite]
    largest = max(np.abs(row).max(initial=0.0), np.abs(other).max(initial=0.0))
    if largest == 0:
        return 1.0
    row, other = row / largest, other / largest  # squares of large values would overflow
    return float(np.clip(2 * (row @ other) / (row @ row + other @ other), 0.0, 1.0))


def _same_texts(prediction: Prediction, baseline: Prediction) -> bool:
    ours, theirs = texts_among(prediction), texts_among(baseline)
    return ours.keys() == theirs.keys() and all(largest_gap(ours[name], theirs[name]) == 0 for name in ours)
