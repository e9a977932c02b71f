"""Classes of pixels: the mean intersection over union (mIoU) with the truth, or with the float baseline's masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._corpus import MeanOfSums, corpus_accuracy
from edgewright_benchmarks.accuracy._scorer import check_samples, check_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics.intervals import rate_interval
from edgewright_benchmarks.truth.masks import IGNORED, read_mask
from edgewright_targets import InputError

Mask = NDArray[Any]
# What no pixel of a truth has.
_NOTHING = -1


class LabelledMasks:
    """Scores masks against those that are right; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The mIoU of the classes that occur in the truth, and the share of right pixels; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"the masks of {len(outputs)} pictures")
        mine = _counts(outputs, _masks(truth))
        theirs = mine if outputs is baseline_outputs else _counts(baseline_outputs, _masks(truth))
        return _accuracy("mean_iou", mine, theirs, is_baseline=outputs is baseline_outputs, max_drop=max_drop)


class MaskAgreement:
    """Scores masks against those of the float baseline; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The mIoU with the baseline's masks for the truth; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        mine = _counts(outputs, map(_mask, baseline_outputs))
        theirs = _counts(baseline_outputs, map(_mask, baseline_outputs))
        return _accuracy("agreement", mine, theirs, is_baseline=outputs is baseline_outputs, max_drop=max_drop)


@dataclass(frozen=True)
class _Counts:
    """Pixels of each sample and class, shape (samples, classes) each.

    Attributes:
        shared: Of this class in the truth and in the answer.
        either: Of this class in one of them.
        truth: Of this class in the truth.
    """

    shared: NDArray[np.float64]
    either: NDArray[np.float64]
    truth: NDArray[np.float64]


def _masks(truth: Sequence[Path]) -> Iterator[Mask]:
    # One by one: masks of a large data set are never all in memory.
    return map(read_mask, truth)


def _mask(output: Prediction) -> Mask:
    answer = output.answer
    if not isinstance(answer, dict) or "mask" not in answer:
        raise InputError("Masks can be told from an engine's answer only; there is none.")
    mask: Mask = np.asarray(answer["mask"]).astype(np.int64)
    # Scores that are no numbers have no best class.
    finite = all(np.isfinite(array).all() for array in output.outputs.values())
    return mask if finite else np.full_like(mask, _NOTHING)


def _counts(outputs: Sequence[Prediction], truth: Iterator[Mask]) -> _Counts:
    pairs = enumerate(zip(outputs, truth, strict=True))
    found = [_of_classes(_mask(output), mask, index) for index, (output, mask) in pairs]
    # Each sample has the classes that it shows; the largest number of them is that of the data.
    classes = max(counts.shape[1] for counts in found)
    whole = np.zeros((len(found), 3, classes))
    for index, counts in enumerate(found):
        whole[index, :, : counts.shape[1]] = counts
    shared, in_truth, in_answer = whole[:, 0], whole[:, 1], whole[:, 2]
    return _Counts(shared, in_truth + in_answer - shared, in_truth)


def _of_classes(mask: Mask, truth: Mask, index: int) -> NDArray[np.float64]:
    """Pixels of each class in both, in the truth, in the answer; shape (3, classes)."""
    if mask.shape != truth.shape:
        raise InputError(f"Sample {index}: its mask is {truth.shape}, the answer's {mask.shape} (height, width).")
    counted = (truth != IGNORED) & (truth != _NOTHING)
    right, found = truth[counted], mask[counted]
    classes = int(max(right.max(initial=0), found.max(initial=0))) + 1
    if not right.size:
        return np.zeros((3, classes))
    # Here, not above: a refusal need not wait for scikit-learn.
    from sklearn.metrics import confusion_matrix

    table = confusion_matrix(right, found, labels=np.arange(_NOTHING, classes)).astype(np.float64)
    return np.stack([np.diagonal(table), table.sum(axis=1), table.sum(axis=0)])[:, 1:]


def _accuracy(metric: str, mine: _Counts, theirs: _Counts, *, is_baseline: bool, max_drop: float | None) -> Accuracy:
    classes = np.flatnonzero(mine.truth.sum(axis=0) > 0)
    if not classes.size:
        raise InputError("No pixel of any mask has a class, so there is nothing to compare with.")
    pixels = mine.truth.sum(axis=1)
    wrong = pixels - mine.shared[:, classes].sum(axis=1)
    errors = rate_interval(wrong, pixels)
    others = {"pixel_accuracy": Interval(1 - errors.value, 1 - errors.high, 1 - errors.low, errors.confidence)}
    sums = (MeanOfSums(part.shared[:, classes], part.either[:, classes]) for part in (mine, theirs))
    return corpus_accuracy(metric, *sums, is_baseline=is_baseline, max_drop=max_drop, others=others)
