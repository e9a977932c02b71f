"""Without labels: how far an engine agrees with the float baseline, whose own agreement is 1 by definition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgewright_benchmarks.accuracy._mean import likeness_accuracy
from edgewright_benchmarks.accuracy._scorer import (
    NO_ANSWER,
    NO_DROP,
    check_samples,
    flatten,
    texts_among,
    top_classes,
)
from edgewright_benchmarks.accuracy._single import classes_of
from edgewright_benchmarks.accuracy.classification import is_among
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics.intervals import paired_accuracy_drop, samples_needed, wilson
from edgewright_runtime.gaps import largest_gap, odd_places

# The baseline agrees with itself by definition, which has no width.
_WHOLE = Interval(1.0, 1.0, 1.0)


class TopClassAgreement:
    """The share of samples for which the engine puts the same class first; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[int] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """See `Scorer.score`. A sample that the baseline itself has no finite answer for is agreed on by nobody."""
        check_samples(outputs, baseline_outputs)
        if outputs is baseline_outputs:
            return _of_baseline(len(outputs))
        baseline = classes_of(baseline_outputs, baseline_outputs)
        agrees = (classes_of(outputs, baseline_outputs) == baseline) & (baseline != NO_ANSWER)
        agreed = int(agrees.sum())
        drop = paired_accuracy_drop(np.ones_like(agrees), agrees)
        return Accuracy(
            metrics={"agreement": wilson(agreed, len(agrees))},
            # Nobody agrees more with the baseline than the baseline: a drop is never below zero.
            drop=Interval(drop.value, max(0.0, drop.low), drop.high, drop.confidence),
            samples=len(agrees),
            samples_needed=(
                None if max_drop is None else samples_needed((len(agrees) - agreed, 0), len(agrees), max_drop)
            ),
        )


class SimilarityAgreement:
    """The mean similarity of an engine's outputs with the baseline's, for outputs of any kind; see `Scorer`.

    Args:
        top: Where there is one output of more values than this, which may be scores of classes, also give the shares of
            samples whose best one is the baseline's, and whose `top` best ones hold it.
    """

    measure: Measure = "agreement"

    def __init__(self, top: int | None = None) -> None:
        self._top = top

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[int] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """See `similarity` for the score of a sample and `Scorer.score` for the rest."""
        check_samples(outputs, baseline_outputs)
        if outputs is baseline_outputs:
            of_classes = dict.fromkeys(self._of_classes(outputs, outputs), _WHOLE)
            return Accuracy({"agreement": _WHOLE, **of_classes}, NO_DROP, len(outputs))
        scores = np.array([similarity(*pair) for pair in zip(outputs, baseline_outputs, strict=True)])
        return likeness_accuracy(scores, self._of_classes(outputs, baseline_outputs), max_drop=max_drop)

    def _of_classes(self, outputs: Sequence[Prediction], baseline_outputs: Sequence[Prediction]) -> dict[str, Interval]:
        if self._top is None or any(not _may_be_scores(output, self._top) for output in baseline_outputs):
            return {}
        best = top_classes(baseline_outputs)
        first = int(((top_classes(outputs) == best) & (best != NO_ANSWER)).sum())
        among = sum(
            label != NO_ANSWER and is_among(output, int(label), self._top)
            for output, label in zip(outputs, best, strict=True)
        )
        return {
            "top_1_agreement": wilson(first, len(best)),
            f"top_{self._top}_agreement": wilson(among, len(best)),
        }


def _may_be_scores(output: Prediction, top: int) -> bool:
    """One row of numbers, more of them than `top`."""
    arrays = list(output.outputs.values())
    return len(arrays) == 1 and arrays[0].size > top and arrays[0].size == arrays[0].shape[-1]


def _of_baseline(samples: int) -> Accuracy:
    return Accuracy(metrics={"agreement": _WHOLE}, drop=NO_DROP, samples=samples)


def similarity(output: Prediction, baseline: Prediction) -> float:
    """How alike the outputs of one sample are, all outputs in one row: 0 (nothing in common) to 1 (equal).

    `2 a.b / (a.a + b.b)`: the cosine similarity where both rows are equally long, and less than it where they are
    not. The cosine alone would call outputs equal that differ by any factor, and single numbers by all but their
    sign. Opposite outputs, outputs of another size, other texts, and NaN or infinities of one side alone count as 0.
    """
    if not _same_texts(output, baseline):
        return 0.0
    row, other = flatten(output), flatten(baseline)
    if row.shape != other.shape or odd_places(row, other).any():
        return 0.0
    # What both have in the same place, such as the scores of masked classes, is no difference.
    finite = np.isfinite(other)
    row, other = row[finite], other[finite]
    largest = max(np.abs(row).max(initial=0.0), np.abs(other).max(initial=0.0))
    if largest == 0:
        return 1.0
    row, other = row / largest, other / largest  # squares of large values would overflow
    return float(np.clip(2 * (row @ other) / (row @ row + other @ other), 0.0, 1.0))


def _same_texts(output: Prediction, baseline: Prediction) -> bool:
    ours, theirs = texts_among(output), texts_among(baseline)
    return ours.keys() == theirs.keys() and all(largest_gap(ours[name], theirs[name]) == 0 for name in ours)
