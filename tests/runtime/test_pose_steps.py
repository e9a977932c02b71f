"""Boxes cut out of pictures, and heatmaps read, are those of transformers' own processor of ViTPose."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import VitPoseImageProcessorPil

from edgewright_runtime import SampleError
from edgewright_runtime.steps.boxes.candidates import Candidates
from edgewright_runtime.steps.boxes.poses import NamePoses
from edgewright_runtime.steps.image.keypoints import ReadKeypoints
from edgewright_runtime.steps.image.region import CropBox, box_of
from photos import photos

LABELS = ("nose", "left_eye", "right_eye", "tail")
# Of photographs of 427 x 640: high, wide, beyond an edge, of parts of a pixel, larger than the picture, small.
BOXES: tuple[Any, ...] = (
    [100, 50, 60, 200],
    [200, 100, 300, 40],
    [600, 400, 90, 60],
    [33.25, 17.5, 71.125, 99.875],
    [-50, -40, 900, 700],
    [300, 200, 3, 5],
)


def package(*labels: str) -> Any:
    return SimpleNamespace(manifest=SimpleNamespace(labels=labels))


def processor(**settings: Any) -> Any:
    return VitPoseImageProcessorPil(size={"height": 128, "width": 96}, **settings)


@pytest.mark.parametrize("box", [*BOXES, None])
def test_the_source_s_own_pixels(box: Any) -> None:
    plain = processor(do_rescale=False, do_normalize=False)
    for photo in photos():
        whole = [0, 0, photo.shape[1], photo.shape[0]]
        (theirs,) = plain(photo, boxes=[[box or whole]], return_tensors="np")["pixel_values"]
        made: Any = CropBox(height=128, width=96)({"image": Image.fromarray(photo), "box": box})
        mine = np.moveaxis(np.asarray(made["image"]), -1, 0)
        assert mine.shape == theirs.shape
        assert np.array_equal(mine, theirs.astype(np.uint8))
        assert np.ptp(mine) > 0
    grey: Any = CropBox(height=128, width=96)({"image": Image.fromarray(photos()[0]).convert("L"), "box": box})
    assert (grey["image"].mode, grey["image"].size) == ("L", (96, 128))


def heatmaps(random: np.random.Generator, count: int) -> Any:
    """Bumps with noise, as networks give them; one of each is flat, and one has a top at its edge."""
    rows, columns = np.mgrid[0:32, 0:24]
    made = np.zeros((count, len(LABELS), 32, 24), np.float32)
    for index in range(count):
        for place in range(len(LABELS)):
            y, x = (0.0, 23.0) if place == 1 else random.uniform((0, 0), (31, 23))
            bump = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
            made[index, place] += bump * random.uniform(0.3, 1) + random.normal(0, 0.02, bump.shape)
        made[index, 2] = 0.25
    return made


def test_the_source_s_own_keypoints() -> None:
    maps = heatmaps(np.random.default_rng(0), len(BOXES))
    outputs: Any = SimpleNamespace(heatmaps=torch.from_numpy(maps))
    (expected,) = processor().post_process_pose_estimation(outputs, boxes=[[list(map(float, box)) for box in BOXES]])
    assert len(expected) == len(BOXES)
    read = ReadKeypoints(package(*LABELS), heatmaps="x")
    photo = Image.fromarray(photos()[0])
    for one, box, theirs in zip(maps, BOXES, expected, strict=True):
        region: Any = CropBox(height=128, width=96)({"image": photo, "box": box})["region"]
        (pose,) = read({"x": one[None], "region": region})["poses"]
        assert [point["label"] for point in pose["keypoints"]] == list(LABELS)
        places = np.array([[point["x"], point["y"]] for point in pose["keypoints"]])
        # Lengths are those of the box: the largest is 1,700 pixels with its border.
        assert np.abs(places - theirs["keypoints"].numpy()).max() < 1e-3
        scores = [point["score"] for point in pose["keypoints"]]
        assert np.array_equal(np.array(scores, np.float32), theirs["scores"].numpy())
        assert pose["score"] == pytest.approx(np.mean(scores))
        left, top, width, height = map(float, box)
        assert pose["box"] == {"xmin": left, "ymin": top, "xmax": left + width, "ymax": top + height}


def test_a_map_without_a_value_above_0() -> None:
    maps = np.full((1, 1, 8, 6), -0.5, np.float32)
    region: Any = CropBox(height=32, width=24)({"image": Image.new("RGB", (24, 32)), "box": None})["region"]
    (pose,) = ReadKeypoints(package("nose"), heatmaps="x")({"x": maps, "region": region})["poses"]
    assert pose["score"] == -0.5
    broken = np.full((1, 1, 8, 6), np.nan, np.float32)
    (pose,) = ReadKeypoints(package("nose"), heatmaps="x")({"x": broken, "region": region})["poses"]
    assert np.isnan(pose["score"])


@pytest.mark.parametrize("shape", [(1, 3, 8, 6), (2, 4, 8, 6), (4, 8, 6), (1, 4, 1, 6)])
def test_what_is_not_a_heatmap_for_each_label(shape: tuple[int, ...]) -> None:
    with pytest.raises(SampleError, match="a heatmap for each of 4 labels"):
        ReadKeypoints(package(*LABELS), heatmaps="x")({"x": np.zeros(shape, np.float32)})
    with pytest.raises(ValueError, match="kernel is 4"):
        ReadKeypoints(package(*LABELS), heatmaps="x", kernel=4)


def test_boxes_of_every_form() -> None:
    sides = {"xmin": 10.0, "ymin": 20.0, "xmax": 40.0, "ymax": 60.0}
    forms = [10, 20, 30, 40], (10.0, 20, 30, 40), np.array([10, 20, 30, 40]), sides, {"label": "a", "box": sides}
    for given in forms:
        assert box_of(given, (100, 90)) == (10, 20, 30, 40)
    assert box_of(None, (100, 90)) == (0, 0, 90, 100)


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ([1, 2, 3], r"four numbers, \[x, y, width, height\]; found \[1, 2, 3\]"),
        ("1,2,3,4", "four numbers"),
        ([1, 2, 3, float("nan")], "four numbers"),
        ([1, 2, True, 3], "four numbers"),
        ([1, 2, 3, 10**400], "four numbers"),
        ([1, 2, 1e300, 3], r"the width 1e\+300 and the height 3; both must be from 1e-06 to 1e\+09"),
        ([1, 2, 1e-50, 1e-50], "both must be from 1e-06"),
        ({"xmin": 1}, "four numbers"),
        ([50, 50, -20, 5], "the width -20 and the height 5; both must be above 0"),
        ([95, 2, 3, 4], r"The box \[95, 2, 3, 4\] is not inside its picture, which is 90 x 100"),
        ([-9, 2, 5, 4], "is not inside its picture"),
    ],
)
def test_what_is_not_a_box(box: Any, says: str) -> None:
    with pytest.raises(SampleError, match=says):
        box_of(box, (100, 90))


def test_points_of_a_detector_get_names() -> None:
    points = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    points[3, 0, 0] = np.nan
    corners = np.array([[0, 0, 9, 9], [1, 1, 8, 8], [2, 2, 7, 7], [3, 3, 6, 6]], np.float32)
    scores = np.array([0.3, 0.9, 0.1, 0.8], np.float32)
    found = Candidates(corners, scores, np.zeros(4, np.int64), points)
    poses = NamePoses(package("nose", "tail"), threshold=0.2, shown=0.5)({"candidates": found})["poses"]
    assert [(round(pose["score"], 3), pose["shown"]) for pose in poses] == [(0.9, True), (0.3, False)]
    assert poses[0]["keypoints"][1] == {"label": "tail", "x": 9.0, "y": 10.0, "score": 11.0}
    assert poses[0]["box"] == {"xmin": 1.0, "ymin": 1.0, "xmax": 8.0, "ymax": 8.0}
    bare = Candidates(corners, scores, np.zeros(4, np.int64), points[..., :2])
    (first, *_) = NamePoses(package("nose", "tail"), threshold=0.2)({"candidates": bare})["poses"]
    assert first["keypoints"][0]["score"] == first["score"]
    assert "shown" not in first
    nothing = found.some(slice(0))
    assert NamePoses(package("nose", "tail"), threshold=0.2)({"candidates": nothing}) == {"poses": []}
    for wrong, count in ((found, 2), (Candidates(corners, scores, np.zeros(4, np.int64)), 0)):
        with pytest.raises(SampleError, match=f"gives {count} points of each box; the package has 1 labels"):
            NamePoses(package("nose"), threshold=0.2)({"candidates": wrong})
