"""Depths of pixels: how many are nearly right, and by how much they are wrong.

D. Eigen, C. Puhrsch, R. Fergus, Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, 2014,
section 4.1: the share of pixels with max(d / d*, d* / d) < 1.25 (called delta 1), the mean of |d - d*| / d*, and the
root of the mean of (d - d*) squared. Each is a mean over the pixels of a picture that have ground truth, then over
pictures.

A relative prediction is an inverse depth of unknown scale and shift. It is brought to the inverse of the ground truth
by least squares, for each picture, and then inverted: R. Ranftl et al., Towards Robust Monocular Depth Estimation,
2020, section 5. There inverted depths are capped at the largest depth of a data set, here at that of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import WHOLE, Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy.regression import mean_with_interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.truth.depths import read_depth
from edgewright_targets import InputError

Depths = NDArray[np.float64]

# A depth within this factor is nearly right.
_NEAR = 1.25


class LabelledDepth(Metric[Sequence[Path]]):
    """Depths against those that are right."""

    names = ("delta_1", "abs_rel", "depth_rmse")
    # Of depths hardly two are the same.
    repeats = False

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[Path]:
        """The files of the right depths."""
        return check_ground_truth(ground_truth, baseline, f"the depth maps of {len(baseline)} pictures")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Path]) -> Scores:
        """The share of depths within a factor of 1.25; the errors are left out where a prediction is not finite."""
        # One by one: the maps of a large data set are never all in memory.
        pairs = enumerate(zip(predictions, map(read_depth, reference), strict=True), start=1)
        found = [_errors(_read(prediction), right, number) for number, (prediction, right) in pairs]
        near, relative, root = np.array(found).T
        finite = bool(np.isfinite(relative).all() and np.isfinite(root).all())
        others = {"abs_rel": mean_with_interval(relative), "depth_rmse": mean_with_interval(root)} if finite else {}
        return Scores("delta_1", Means(near), others)


class DepthAgreement(Agreement[Sequence[Prediction]]):
    """How near an engine's depths are to the float baseline's, as a share of the range of these in the picture."""

    names = ("agreement",)
    bounded = True
    repeats = False

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Sequence[Prediction]:
        """The baseline's predictions, whose depths are read one by one."""
        return baseline

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Prediction]) -> Scores:
        """The mean of 1 - |difference| / range over pixels, then over pictures."""
        pairs = zip(predictions, reference, strict=True)
        return Scores("agreement", Means(np.array([_alike(_read(one), _read(other)) for one, other in pairs])))

    def by_definition(self, samples: int, /) -> Scores:
        """The same depths."""
        return Scores("agreement", Means(np.ones(samples)), interval=WHOLE)


@dataclass(frozen=True)
class _Map:
    """What is predicted for a picture: distances, or inverse depths of unknown scale and shift."""

    values: Depths
    relative: bool


def _read(prediction: Prediction) -> _Map:
    answer = prediction.answer
    if not isinstance(answer, dict) or "values" not in answer:
        raise InputError("Depths are scored by the pipeline's output. This engine gave only the outputs of its graph.")
    return _Map(np.asarray(answer["values"], np.float64), answer["kind"] == "relative")


def _errors(found: _Map, right: NDArray[np.float32], number: int) -> tuple[float, float, float]:
    """Of a picture the share of depths that are near, the relative error and the root mean squared error."""
    if found.values.shape != right.shape:
        raise InputError(
            f"Sample {number}: its depth map is {right.shape}, the predicted one {found.values.shape} (height, width)."
        )
    counted = np.isfinite(right)
    depth, truth = found.values[counted], right[counted].astype(np.float64)
    if not np.isfinite(depth).all():
        return 0.0, np.nan, np.nan
    depth = aligned(depth, truth) if found.relative else depth
    # A distance of 0 or less is near to none.
    near = (depth < _NEAR * truth) & (truth < _NEAR * depth)
    gap = np.abs(depth - truth)
    return float(near.mean()), float((gap / truth).mean()), float(np.sqrt((gap**2).mean()))


def aligned(inverse: Depths, truth: Depths) -> Depths:
    """Depths from inverse depths of unknown scale and shift: those that fit the ground truth best.

    Args:
        inverse: Larger is nearer; shape (pixels,).
        truth: Distances above 0; shape (pixels,).
    """
    wanted = 1 / truth
    centred = inverse - inverse.mean()
    spread = float(centred @ centred)
    scale = float(centred @ wanted) / spread if spread else 0.0
    found = wanted.mean() + scale * centred
    # What lies at infinity or behind the camera is as far away as anything.
    depths: Depths = 1 / np.maximum(found, 1 / truth.max())
    return depths


def _alike(found: _Map, reference: _Map) -> float:
    if found.values.shape != reference.values.shape or not np.isfinite(found.values).all():
        return 0.0
    reach = float(np.ptp(reference.values))
    apart = np.abs(found.values - reference.values)
    # A map that is the same everywhere has no range: an engine gives the same, or does not.
    shares = apart / reach if reach else np.where(apart == 0, 0.0, 1.0)
    return float(np.nan_to_num(1 - np.minimum(shares, 1)).mean())
