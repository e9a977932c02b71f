"""Keypoints of COCO's JSON: a sample for each thing where a model takes a box, else one for each picture."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from edgewright_benchmarks.data._lines import DataWarning
from edgewright_benchmarks.truth.ground_truth import Form
from edgewright_benchmarks.truth.keypoints import TruePose, plain_name, points_of, pose_of, same_names
from edgewright_targets import InputError


class Category(TypedDict):
    """A category of COCO's file, as `read_coco` keeps it."""

    id: int
    name: str
    keypoints: NotRequired[list[str]]


class Annotation(TypedDict):
    """An annotation, likewise."""

    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: bool
    keypoints: NotRequired[list[float]]
    area: NotRequired[float]


def coco_poses(
    path: Path,
    form: Form,
    files: Mapping[Any, Path],
    categories: Sequence[tuple[str, Category]],
    annotations: Sequence[tuple[str, Annotation]],
) -> tuple[list[Any], list[Any]]:
    """Samples and their poses.

    Args:
        path: Of the file, for messages.
        form: What is read.
        files: The pictures by their ids.
        categories: Places and entries.
        annotations: Likewise, of pictures and categories that there are.

    Raises:
        InputError: The file has no keypoints, or others than the model.
    """
    orders = {entry["id"]: _order(path, form, entry, place) for place, entry in categories if entry.get("keypoints")}
    poses: list[tuple[Any, TruePose]] = []
    for place, entry in annotations:
        if entry["category_id"] not in orders or "keypoints" not in entry:
            continue
        order, count = orders[entry["category_id"]]
        given: Any = entry["keypoints"]
        if not isinstance(given, list) or len(given) != 3 * count:
            found = f"{len(given)} numbers" if isinstance(given, list) else "not a list"
            raise InputError(
                f"{place}: its keypoints are {found}; its category has {count} keypoints, of three numbers each."
            )
        points = points_of(given, tuple(map(str, range(count))), place)
        pose = pose_of(
            [points[at] for at in order], entry["bbox"], entry.get("area"), place, crowd=bool(entry["iscrowd"])
        )
        # Of a person without a known keypoint, too: what a detector finds there is neither right nor wrong.
        poses.append((entry["image_id"], pose))
    if not any(pose.labelled or pose.crowd for _, pose in poses):
        raise InputError(
            f"'{path}' has no keypoints.",
            hint="COCO keeps them in person_keypoints_*.json: 'keypoints' of annotations and of their categories.",
        )
    if "box" in form.names:
        single = [(identity, pose) for identity, pose in poses if pose.labelled and not pose.crowd]
        return [{"image": files[identity], "box": list(pose.box)} for identity, pose in single], [
            (pose,) for _, pose in single
        ]
    of_picture: dict[Any, list[TruePose]] = {identity: [] for identity in files}
    for identity, pose in poses:
        of_picture[identity].append(pose)
    return list(files.values()), [tuple(found) for found in of_picture.values()]


def _order(path: Path, form: Form, category: Category, place: str) -> tuple[list[int], int]:
    """For each label of the model, which keypoint of a category it is, and how many the category has."""
    # Nobody looked at it before: a file may hold anything there.
    names: Any = category.get("keypoints")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{place}: the names of its keypoints are not a list of texts.")
    order = same_names(names, form.class_names)
    if order is not None:
        return order, len(names)
    if len(names) != len(form.class_names):
        raise InputError(
            f"{place}: the category '{category['name']}' has {len(names)} keypoints ({', '.join(names[:5])}, ...); the "
            f"model has {len(form.class_names)} labels ({', '.join(form.class_names[:5])}, ...).",
            hint="Name the model's keypoints as the file does, with --labels FILE.",
        )
    pairs = zip(names, form.class_names, strict=True)
    unlike = (pair for pair in pairs if plain_name(pair[0]) != plain_name(pair[1]))
    other = next(unlike, (names[0], form.class_names[0]))
    warnings.warn(
        DataWarning(
            f"'{path}': its keypoints have other names than the model's labels ('{other[0]}' is '{other[1]}'); they "
            "are taken in their order."
        ),
        stacklevel=2,
    )
    return list(range(len(names))), len(names)
