"""Masks of one thing: how much the surest and the best of them overlap with the thing itself.

As A. Kirillov et al., Segment Anything, 2023, section 7.1 have it: the mean intersection over union with the mask that
the model ranks first, and with the best of its masks, which an oracle would choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means, mean_interval
from edgewright_benchmarks.accuracy._metric import WHOLE, Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.truth.things import read_thing
from edgewright_targets import InputError

Mask = NDArray[np.bool_]


class LabelledThings(Metric[Sequence[Path]]):
    """Masks against those of the things that are meant."""

    names = ("surest_mask_iou", "best_mask_iou")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[Path]:
        """The files of the right masks."""
        return check_ground_truth(ground_truth, baseline, f"the masks of {len(baseline)} things")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Path]) -> Scores:
        """The mean overlap of the surest masks, and that of the best ones."""
        # One by one: the masks of a large data set are never all in memory.
        pairs = enumerate(zip(predictions, map(read_thing, reference), strict=True), start=1)
        overlaps = [_overlaps(_masks(one), right, f"Sample {index}: its mask") for index, (one, right) in pairs]
        surest, best = (np.array([of(some) for some in overlaps]) for of in (_first, _largest))
        return Scores("surest_mask_iou", Means(surest), {"best_mask_iou": mean_interval(best)})

    def changed(self, predictions: Sequence[Prediction], _baseline: Sequence[Prediction], /) -> Sequence[bool | None]:
        """Nothing can be told: hardly two masks are the same in every pixel."""
        return [None] * len(predictions)


class ThingAgreement(Agreement[Sequence[Prediction]]):
    """How much an engine's surest masks overlap with the float baseline's."""

    names = ("agreement",)
    bounded = True

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Sequence[Prediction]:
        """The baseline's predictions, whose masks are read one by one."""
        return baseline

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Prediction]) -> Scores:
        """The mean overlap of the surest masks; 1 where both are empty."""
        pairs = zip(predictions, reference, strict=True)
        return Scores("agreement", Means(np.array([_alike(_masks(one), _masks(other)) for one, other in pairs])))

    def by_definition(self, samples: int, /) -> Scores:
        """The same masks."""
        return Scores("agreement", Means(np.ones(samples)), interval=WHOLE)

    def changed(self, predictions: Sequence[Prediction], _baseline: Sequence[Prediction], /) -> Sequence[bool | None]:
        """Nothing can be told: hardly two masks are the same in every pixel."""
        return [None] * len(predictions)


def _masks(prediction: Prediction) -> list[Mask]:
    """The masks of a sample, the surest first; none where the outputs are not finite."""
    answer = prediction.answer
    if not isinstance(answer, list) or not all(isinstance(one, dict) and "mask" in one for one in answer):
        raise InputError("Masks are scored by the pipeline's output. This engine gave only the outputs of its graph.")
    finite = all(np.isfinite(array).all() for array in prediction.outputs.values())
    return [np.asarray(one["mask"], dtype=bool) for one in answer] if finite else []


def _overlaps(masks: Sequence[Mask], right: Mask, words: str) -> list[float]:
    """Intersection over union of each mask with a mask that is not empty."""
    for mask in masks:
        if mask.shape != right.shape:
            raise InputError(f"{words} is {right.shape}, the predicted one {mask.shape} (height, width).")
    return [float((mask & right).sum() / (mask | right).sum()) for mask in masks]


def _first(overlaps: Sequence[float]) -> float:
    return overlaps[0] if overlaps else 0.0


def _largest(overlaps: Sequence[float]) -> float:
    return max(overlaps, default=0.0)


def _alike(masks: Sequence[Mask], reference: Sequence[Mask]) -> float:
    if not masks or not reference:
        return float(not masks and not reference)
    if not masks[0].any() and not reference[0].any():
        return 1.0
    return _overlaps(masks[:1], reference[0], "The float baseline's mask")[0]
