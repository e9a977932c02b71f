"""Classes of pixels: the mean intersection over union (mIoU) with the truth, or with the float baseline's masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import column_from_ratio
from edgewright_benchmarks.accuracy._corpus import MeanOfSums
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import rate_interval
from edgewright_benchmarks.truth.masks import IGNORED, read_mask
from edgewright_targets import InputError

Mask = NDArray[Any]
# What no pixel of a truth has.
_NOTHING = -1


class LabelledSegmentation(Metric[Sequence[Path]]):
    """Masks against those that are right."""

    names = ("mean_iou", "pixel_accuracy")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[Path]:
        """The files of the right masks."""
        return check_ground_truth(ground_truth, baseline, f"the masks of {len(baseline)} pictures")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Path]) -> Scores:
        """The mIoU of the classes that occur in the ground truth, and the share of right pixels."""
        # One by one: masks of a large data set are never all in memory.
        return _scores("mean_iou", _counts(predictions, map(read_mask, reference)))


class SegmentationAgreement(Agreement[Sequence[Prediction]]):
    """Masks against those of the float baseline."""

    names = ("agreement", "pixel_accuracy")

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Sequence[Prediction]:
        """The baseline's predictions, whose masks are read one by one."""
        return baseline

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Prediction]) -> Scores:
        """The mIoU with the baseline's masks for the ground truth."""
        return _scores("agreement", _counts(predictions, map(_mask, reference)))


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


def _mask(prediction: Prediction) -> Mask:
    answer = prediction.answer
    if not isinstance(answer, dict) or "mask" not in answer:
        raise InputError("Masks are scored by the pipeline's output. This engine gave only the outputs of its graph.")
    mask: Mask = np.asarray(answer["mask"]).astype(np.int64)
    # Scores that are not numbers have no best class.
    finite = all(np.isfinite(array).all() for array in prediction.outputs.values())
    return mask if finite else np.full_like(mask, _NOTHING)


def _counts(predictions: Sequence[Prediction], truth: Iterator[Mask]) -> _Counts:
    pairs = enumerate(zip(predictions, truth, strict=True), start=1)
    found = [_of_classes(_mask(prediction), mask, number) for number, (prediction, mask) in pairs]
    # Each sample has the classes that it shows; the largest number of them is that of the data.
    classes = max(counts.shape[1] for counts in found)
    whole = np.zeros((len(found), 3, classes))
    for index, counts in enumerate(found):
        whole[index, :, : counts.shape[1]] = counts
    shared, in_truth, in_answer = whole[:, 0], whole[:, 1], whole[:, 2]
    return _Counts(shared, in_truth + in_answer - shared, in_truth)


def _of_classes(mask: Mask, truth: Mask, number: int) -> NDArray[np.float64]:
    """Pixels of each class in both, in the truth, in the answer; shape (3, classes)."""
    if mask.shape != truth.shape:
        raise InputError(
            f"Sample {number}: its mask is {truth.shape}, the predicted mask {mask.shape} (height, width)."
        )
    counted = (truth != IGNORED) & (truth != _NOTHING)
    right, found = truth[counted], mask[counted]
    classes = int(max(right.max(initial=0), found.max(initial=0))) + 1
    if not right.size:
        return np.zeros((3, classes))
    # Here, not above: a refusal need not wait for scikit-learn.
    from sklearn.metrics import confusion_matrix

    table = confusion_matrix(right, found, labels=np.arange(_NOTHING, classes)).astype(np.float64)
    return np.stack([np.diagonal(table), table.sum(axis=1), table.sum(axis=0)])[:, 1:]


def _scores(name: str, counts: _Counts) -> Scores:
    classes = np.flatnonzero(counts.truth.sum(axis=0) > 0)
    if not classes.size:
        raise InputError("No pixel of any mask has a class, so nothing can be scored.")
    pixels = counts.truth.sum(axis=1)
    wrong = rate_interval(pixels - counts.shared[:, classes].sum(axis=1), pixels)
    others = {"pixel_accuracy": Interval(1 - wrong.value, 1 - wrong.high, 1 - wrong.low, wrong.confidence)}
    return Scores(name, column_from_ratio(MeanOfSums(counts.shared[:, classes], counts.either[:, classes])), others)
