"""Keypoints of things: COCO's average precision by the similarity of keypoints, and how many are near.

Object keypoint similarity (OKS) takes the place that the overlap has for boxes: the mean over known points of
exp(-d^2 / (2 area (2 sigma)^2)), with the distance d in pixels and a sigma for each kind of point, as pycocotools has
it. Matching and average precision are those of COCO. Each sample counts as a picture: where a model is given the box of
a thing, its pose is compared with that thing alone.

PCK is the share of known points that are found within a fifth of the longer edge of the box (Y. Yang, D. Ramanan,
Articulated Human Detection with Flexible Mixtures of Parts, 2013).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from edgewright_benchmarks.accuracy._average_precision import CocoEntry, Precision, matched, precision_of
from edgewright_benchmarks.accuracy._columns import Means, mean_interval
from edgewright_benchmarks.accuracy._corpus import Sums
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.truth.keypoints import AREA_SHARE, TruePose, plain_name
from edgewright_runtime.answer_types import FoundPose
from edgewright_targets import InputError

_NO_ANSWERS = "Keypoints are scored by the pipeline's output. This engine gave only the outputs of its graph."
# Of pycocotools, `Params.setKpParams`; left and right have the same.
_SIGMAS = {
    "nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062, "hip": 0.107,
    "knee": 0.087, "ankle": 0.089,
}  # fmt: skip
# Of points that COCO does not have: between those of a face and those of a body.
_OTHER_SIGMA = 0.05
_SIDES = ("left_", "right_")
# Of the longer edge of a box: so far away a point is still near.
_NEAR = 0.2
# Places in `OVERLAPS`.
_HALF, _THREE_QUARTERS = 0, 5


@dataclass(frozen=True)
class Reference:
    """What poses are compared with: those of each sample, and the sigma of each point."""

    poses: Sequence[Sequence[TruePose]]
    sigmas: tuple[float, ...]


class LabelledPoses(Metric[Reference]):
    """Poses against those that are there."""

    names = ("oks_map", "oks_ap_50", "oks_ap_75", "pck")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Reference:
        """The poses that are there."""
        truth = check_ground_truth(ground_truth, baseline, f"the keypoints of {len(baseline)} samples")
        known = [pose for poses in truth for pose in poses if pose.labelled and not pose.crowd]
        if not known:
            raise InputError("No sample of the data has a known keypoint, so average precision is not defined.")
        return Reference(truth, _sigmas(baseline, len(known[0].points)))

    def scores(self, predictions: Sequence[Prediction], reference: Reference) -> Scores:
        """Mean average precision over ten similarities, at two of them, and the share of points that are near."""
        found = _poses(predictions)
        precision = _precision(found, reference)
        half, three_quarters = (precision.scores[:, place] for place in (_HALF, _THREE_QUARTERS))
        near = Sums(*np.array([_near(one, truth) for one, truth in zip(found, reference.poses, strict=True)]).T)
        others = {
            "oks_ap_50": mean_interval(half, span=precision.span),
            "oks_ap_75": mean_interval(three_quarters, span=precision.span),
            "pck": mean_interval(near.scores(), span=near.span, value=near.ratio),
        }
        return Scores("oks_map", _column(precision), others)

    def changed(self, predictions: Sequence[Prediction], _baseline: Sequence[Prediction], /) -> Sequence[bool | None]:
        """Nothing can be told: hardly two poses are the same."""
        return [None] * len(predictions)


class PoseAgreement(Agreement[Reference]):
    """Poses against those that the float baseline shows a person."""

    names = ("agreement",)

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Reference:
        """The poses that the baseline shows."""
        shown = [[_as_true(pose) for pose in poses if pose.get("shown", True)] for poses in _poses(baseline)]
        points = [len(pose.points) for poses in shown for pose in poses]
        if not points:
            raise InputError(
                "The float baseline finds no pose in any sample, so agreement is not defined.",
                hint="Pass pictures with things that the model finds.",
            )
        return Reference(shown, _sigmas(baseline, points[0]))

    def scores(self, predictions: Sequence[Prediction], reference: Reference) -> Scores:
        """Mean average precision with the baseline's poses for the ground truth."""
        return Scores("agreement", _column(_precision(_poses(predictions), reference)))

    def changed(self, predictions: Sequence[Prediction], _baseline: Sequence[Prediction], /) -> Sequence[bool | None]:
        """Nothing can be told: hardly two poses are the same."""
        return [None] * len(predictions)


def _poses(predictions: Sequence[Prediction]) -> list[list[FoundPose]]:
    """The poses of each sample whose numbers are finite: those of a graph of low precision may not be."""
    answers = answers_of(predictions, _NO_ANSWERS)
    return [[pose for pose in poses if np.isfinite(_numbers(pose)).all()] for poses in answers]


def _numbers(pose: FoundPose) -> list[float]:
    points = [value for point in pose["keypoints"] for value in (point["x"], point["y"])]
    return [pose["score"], *pose["box"].values(), *points]


def _sigmas(predictions: Sequence[Prediction], points: int) -> tuple[float, ...]:
    """The sigma of each point, by the names that the model gives them."""
    found = next((pose["keypoints"] for prediction in predictions for pose in prediction.answer or ()), None)
    if found is None:
        return (_OTHER_SIGMA,) * points
    names = [plain_name(point["label"]) for point in found]
    for side in _SIDES:
        names = [name.removeprefix(side) for name in names]
    return tuple(_SIGMAS.get(name, _OTHER_SIGMA) for name in names)


def _precision(found: Sequence[Sequence[FoundPose]], reference: Reference) -> Precision:
    truth = [[_true_entry(pose) for pose in poses] for poses in reference.poses]
    entries = [[_found_entry(pose) for pose in poses] for poses in found]
    precision = precision_of(matched(truth, entries, 1, sigmas=reference.sigmas), len(truth))
    assert precision is not None, "there is something to find"
    return precision


def _column(found: Precision) -> Means:
    return Means(found.scores.mean(axis=1), span=found.span)


def _true_entry(pose: TruePose) -> CocoEntry:
    points = [value for point in pose.points for value in point]
    entry: CocoEntry = {"category_id": 0, "keypoints": cast("list[float]", points), "num_keypoints": pose.labelled}
    return entry | {"bbox": list(pose.box), "area": pose.area, "iscrowd": int(pose.crowd)}


def _found_entry(pose: FoundPose) -> CocoEntry:
    box = pose["box"]
    width, height = box["xmax"] - box["xmin"], box["ymax"] - box["ymin"]
    points = [value for point in pose["keypoints"] for value in (point["x"], point["y"], 2.0)]
    entry: CocoEntry = {"category_id": 0, "keypoints": points, "num_keypoints": len(pose["keypoints"]), "iscrowd": 0}
    return entry | {
        "bbox": [box["xmin"], box["ymin"], width, height],
        "area": width * height,
        "score": pose["score"],
    }


def _as_true(pose: FoundPose) -> TruePose:
    box = pose["box"]
    width, height = box["xmax"] - box["xmin"], box["ymax"] - box["ymin"]
    # A box without an area has no near.
    area = max(1.0, AREA_SHARE * width * height)
    points = tuple((point["x"], point["y"], 2) for point in pose["keypoints"])
    return TruePose(points, (box["xmin"], box["ymin"], width, height), area)


def _near(found: Sequence[FoundPose], truth: Sequence[TruePose]) -> tuple[float, float]:
    """How many known points of a sample are near, by the pose that has the most of them, and how many there are."""
    shown = [pose for pose in found if pose.get("shown", True)]
    near = known = 0
    for pose in (pose for pose in truth if not pose.crowd):
        reach = _NEAR * max(pose.box[2:])
        known += pose.labelled
        near += max((_count(one, pose, reach) for one in shown), default=0)
    return float(near), float(known)


def _count(found: FoundPose, truth: TruePose, reach: float) -> int:
    pairs = zip(found["keypoints"], truth.points, strict=True)
    return sum(bool(visible) and math.hypot(one["x"] - x, one["y"] - y) <= reach for one, (x, y, visible) in pairs)
