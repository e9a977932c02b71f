"""Ground truth of keypoints: named points of each thing in a picture, as COCO writes them, or in a plain table."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright_benchmarks.truth.ground_truth import Truth
from edgewright_benchmarks.truth.objects import OBJECTS, checked_box
from edgewright_benchmarks.truth.picture_size import picture_size
from edgewright_targets import InputError, nearest

# The area of a thing as a share of its box, where nobody drew its outline: what is taken for COCO's people
# (xtcocotools, `cocoeval.py`; Ultralytics).
AREA_SHARE = 0.53
# People draw over the edge of a picture, and some data sets guess what is beyond it: by this share of the picture.
_OVER_THE_EDGE = 0.25
_EXAMPLE = "For example [[120, 48], null, [131.5, 52]]: a point for each label, in their order, null where unknown."
# Words of labels that others write short.
_SHORT = {"l": "left", "r": "right"}

# x, y in pixels, and 0 (unknown), 1 (hidden) or 2 (visible).
Point = tuple[float, float, int]


@dataclass(frozen=True)
class TruePose:
    """The keypoints of one thing.

    Attributes:
        points: In the order of the labels.
        box: Left, top, width, height, in pixels.
        area: Of the thing, in pixels: how far a point may be away depends on it.
        crowd: It stands for several things: what is found in it is neither right nor wrong.
    """

    points: tuple[Point, ...]
    box: tuple[float, float, float, float]
    area: float
    crowd: bool = False

    @property
    def labelled(self) -> int:
        """How many points are known."""
        return sum(visible > 0 for _, _, visible in self.points)


def true_poses(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[TruePose, ...]:
    """The poses of one sample: a list of points, a dict of points by name, COCO's annotation, or a list of these.

    A cell of a table holds it as JSON.

    Raises:
        InputError: It is of another form, has other points than the model, or none that is known.
    """
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{place}: the keypoints are not valid JSON: {error}.") from error
    poses = cell if _are_several(cell) else [cell]
    return tuple(_pose(pose, class_names, place) for pose in poses)


def _are_several(cell: Any) -> bool:
    if not isinstance(cell, list):
        return False
    first = next((entry for entry in cell if entry is not None), None)
    return isinstance(first, Mapping) or (isinstance(first, list) and bool(first) and isinstance(first[0], list))


def _pose(pose: Any, class_names: tuple[str, ...], place: str) -> TruePose:
    box = area = None
    given = pose
    if isinstance(pose, Mapping) and "keypoints" in pose:
        given, box, area = pose["keypoints"], pose.get("bbox"), pose.get("area")
    found = pose_of(points_of(given, class_names, place), box, area, place)
    if not found.labelled:
        raise InputError(f"{place}: no keypoint is known.", hint="Leave this sample out.")
    return found


def points_of(given: Any, class_names: tuple[str, ...], place: str) -> tuple[Point, ...]:
    """Points in the order of the labels.

    Args:
        given: A list of a point for each label, numbers in one row as COCO has them, or points by label.
        class_names: The labels.
        place: In the file, for messages.

    Raises:
        InputError: They are not points, or of another number than the labels.
    """
    if isinstance(given, Mapping):
        unknown = next((str(name) for name in given if name not in class_names), None)
        if unknown is not None:
            raise InputError(f"{place}: unknown keypoint '{unknown}'.", hint=nearest(unknown, class_names))
        rows: list[Any] = [given.get(name) for name in class_names]
    elif isinstance(given, list) and given and all(map(_is_number, given)) and len(given) % 3 == 0:
        rows = [given[at : at + 3] for at in range(0, len(given), 3)]
    else:
        rows = given if isinstance(given, list) else []
    if len(rows) != len(class_names):
        raise InputError(
            f"{place}: {len(rows)} keypoints; the model has {len(class_names)} labels, and a keypoint for each.",
            hint=_EXAMPLE,
        )
    return tuple(_point(row, place) for row in rows)


def _point(row: Any, place: str) -> Point:
    if row is None:
        return 0.0, 0.0, 0
    if not isinstance(row, list) or len(row) not in (2, 3) or not all(map(_is_number, row)):
        raise InputError(
            f"{place}: a keypoint must be [x, y] or [x, y, visible]; found {str(row)[:60]!r}.", hint=_EXAMPLE
        )
    visible = row[2] if len(row) == 3 else 2
    if visible not in (0, 1, 2):
        raise InputError(f"{place}: whether a keypoint is visible is 0, 1 or 2; found {visible:g}.")
    return float(row[0]), float(row[1]), int(visible)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def pose_of(points: Sequence[Point], box: Any, area: Any, place: str, *, crowd: bool = False) -> TruePose:
    """A pose with its box and its area; without a box that around its known points.

    Raises:
        InputError: The box or the area is not valid, or there is nothing to take the area from.
    """
    known = [(x, y) for x, y, visible in points if visible]
    if box is None:
        across, down = zip(*known, strict=True) if known else ((0.0,), (0.0,))
        box = [min(across), min(down), max(across) - min(across), max(down) - min(down)]
    sides = checked_box(box, place)
    if area is None:
        area = AREA_SHARE * sides[2] * sides[3]
    if known and (not _is_number(area) or area <= 0):
        raise InputError(
            f"{place}: the area of the thing is {area if _is_number(area) else str(area)[:60]!r}; it must be above 0, "
            "as distances of keypoints are measured by it.",
            hint='Give its box: {"keypoints": [...], "bbox": [x, y, width, height]}.',
        )
    return TruePose(tuple(points), sides, float(area) if _is_number(area) else 0.0, crowd)


def same_names(names: Sequence[str], class_names: Sequence[str]) -> list[int] | None:
    """For each label its place in `names`, which may be written otherwise (`L_Eye`, `left eye`); None if one lacks."""
    plain = [plain_name(name) for name in names]
    wanted = [plain_name(name) for name in class_names]
    if len(set(plain)) != len(plain) or not set(wanted) <= set(plain):
        return None
    return [plain.index(name) for name in wanted]


def plain_name(name: str) -> str:
    """A name of a keypoint in lower case, with `left` and `right` written out: `left_eye`."""
    words = re.findall(r"[a-z]+|[0-9]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    return "_".join(_SHORT.get(word, word) for word in words)


def _fits(sample: Any, poses: tuple[TruePose, ...], place: str) -> None:
    """Raise where points are of a picture of another size; of a file that is not a picture the engines say so."""
    size = picture_size(sample["image"] if isinstance(sample, dict) else sample)
    if size is None:
        return
    over = [_OVER_THE_EDGE * edge for edge in size]
    for x, y in ((x, y) for pose in poses for x, y, visible in pose.points if visible):
        if not (-over[0] <= x <= size[0] + over[0] and -over[1] <= y <= size[1] + over[1]):
            raise InputError(
                f"{place}: the keypoint [{x:g}, {y:g}] is not inside its picture, which is {size[0]} x {size[1]}.",
                hint="Keypoints are x and y in pixels of the stored picture.",
            )


KEYPOINTS = Truth("keypoints", true_poses, _fits)
# Ground truth that COCO's JSON has.
COCO_TRUTHS = (OBJECTS, KEYPOINTS)
