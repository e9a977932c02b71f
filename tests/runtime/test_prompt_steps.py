"""Prompts and masks of SAM: what its processor in transformers makes of the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import SamImageProcessorPil, SamProcessor

from edgewright_runtime import SampleError
from edgewright_runtime.steps.image.fit import FitImage
from edgewright_runtime.steps.image.padded import PadArray
from edgewright_runtime.steps.image.prompted import ReadMasks
from edgewright_runtime.steps.image.prompts import PromptPoints
from photos import photos

EDGE = 160
SIZE = {"height": EDGE, "width": EDGE}


def processor() -> Any:
    return SamImageProcessorPil(size={"longest_edge": EDGE}, pad_size=SIZE)


def fitted(picture: Any) -> dict[str, Any]:
    image: Any = Image.fromarray(picture)
    values: dict[str, Any] = {"image": image, "image_size": (image.height, image.width)}
    return values | FitImage(filter="bilinear", rounding="half_up", **SIZE)({"image": image})


def prompted(values: dict[str, Any], **options: Any) -> tuple[Any, Any]:
    made = PromptPoints(points="points", labels="labels", **options)(values)
    return made["points"], made["labels"]


@pytest.mark.parametrize("size", [(427, 640), (640, 427), (85, 128), (161, 320), (33, 400), (160, 160), (20, 30)])
def test_sizes_are_the_source_s_own(size: tuple[int, int]) -> None:
    """Half a pixel is rounded up: 161 x 320 comes to 80.5 pixels."""
    picture = np.zeros((*size, 3), np.uint8)
    made = fitted(picture)["image"]
    whole: Any = processor()(Image.fromarray(picture), return_tensors="np")
    assert (made.height, made.width) == tuple(whole["reshaped_input_sizes"][0])


def test_the_source_s_own_points() -> None:
    photo = photos()[0]
    values = fitted(photo)
    image = Image.fromarray(photo)
    points, box = [[100.5, 200, 1], [300, 20.25, 0]], [50, 60, 200, 150.5]
    source: Any = SamProcessor(processor())  # type: ignore[no-untyped-call]
    corners = [box[0], box[1], box[0] + box[2], box[1] + box[3]]
    theirs = source(
        image,
        input_points=[[point[:2] for point in points]],
        input_labels=[[1, 0]],
        input_boxes=[[corners]],
        return_tensors="pt",
    )
    places, kinds = prompted(values | {"points": points, "box": box})
    assert (places.dtype, places.shape, kinds.dtype) == (np.float32, (1, 1, 4, 2), np.int64)
    assert np.abs(places[:, :, :2] - theirs["input_points"].numpy()).max() < 1e-4
    assert np.abs(places[0, 0, 2:].reshape(-1) - theirs["input_boxes"].numpy().reshape(-1)).max() < 1e-4
    assert kinds.tolist() == [[[1, 0, 2, 3]]]
    assert prompted(values | {"box": box})[1].tolist() == [[[2, 3]]]
    # Without a box a point of filling, which a graph of points alone adds itself.
    assert prompted(values | {"points": points})[1].tolist() == [[[1, 0, -1]]]
    assert prompted(values | {"points": np.array([[5, 6]])}, boxes=False)[1].tolist() == [[[1]]]
    assert prompted(values | {"points": [np.array([5, 6, 0])]}, boxes=False)[1].tolist() == [[[0]]]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "neither points nor a box"),
        ({"points": []}, r"a list of \[x, y\]; found \[\]"),
        ({"points": 3}, "a list of"),
        ({"points": [[1]]}, r"A point must be \[x, y\], or \[x, y, 1\]"),
        ({"points": [[1, "2"]]}, "A point must be"),
        ({"points": [[1, float("inf")]]}, "A point must be"),
        ({"points": [[1, 10**400]]}, "A point must be"),
        ({"points": [[1, 2, 3]]}, r"is 1 \(meant\) or 0 \(not meant\); found 3"),
        ({"points": [[641, 2]]}, r"The point \[641, 2\] is not in its picture, which is 640 x 427"),
        ({"box": [1, 2, 3]}, "A box must be four numbers"),
    ],
)
def test_what_is_not_a_prompt(given: dict[str, Any], says: str) -> None:
    with pytest.raises(SampleError, match=says):
        prompted({"image_size": (427, 640)} | given)


def test_a_graph_of_points_alone_refuses_boxes() -> None:
    with pytest.raises(SampleError, match="takes points alone, and the sample has a box"):
        prompted({"image_size": (427, 640), "box": [1, 2, 3, 4]}, boxes=False)


@pytest.mark.parametrize("size", [(427, 640), (300, 211), (161, 320), (20, 30)])
@pytest.mark.parametrize("grid", [40, 160])
def test_the_source_s_own_masks(size: tuple[int, int], grid: int) -> None:
    random = np.random.default_rng(0)
    # Smooth, as masks are: waves, with a little noise.
    rows, columns = np.mgrid[0:grid, 0:grid] / grid
    waves = [np.sin(9 * rows + place) * np.cos(7 * columns - place) for place in range(3)]
    logits = (np.stack(waves) + random.normal(0, 0.1, (3, grid, grid))).astype(np.float32)[None, None]
    scores = np.array([[[0.2, 0.9, np.float32(0.5)]]], np.float32)
    values = fitted(np.zeros((*size, 3), np.uint8))
    inside = (values["image"].height, values["image"].width)
    (theirs,) = processor().post_process_masks([torch.from_numpy(logits[0])], [size], [inside])
    made = ReadMasks(masks="m", scores="s", **SIZE)(values | {"m": logits, "s": scores})["masks"]
    assert [round(one["score"], 3) for one in made] == [0.9, 0.5, 0.2]
    for one, place in zip(made, (1, 2, 0), strict=True):
        expected = theirs[0, place].numpy()
        assert one["mask"].shape == expected.shape == size
        # A pixel may lie on the line within the last digit.
        assert (one["mask"] != expected).mean() < 1e-4
        assert 0.1 < one["share"] < 0.9
        assert one["share"] == pytest.approx(expected.mean(), abs=1e-3)


@pytest.mark.parametrize("shapes", [((1, 3, 4, 4), (1, 2)), ((3, 4, 4), (1, 3)), ((1, 0, 4, 4), (1, 0))])
def test_what_is_not_masks_with_scores(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    logits, scores = (np.zeros(shape, np.float32) for shape in shapes)
    with pytest.raises(SampleError, match="a score for each mask"):
        ReadMasks(masks="m", scores="s", **SIZE)({"m": logits, "s": scores, "image_size": (9, 9)})


def test_the_border_is_zeros_below_and_to_the_right() -> None:
    pixels = np.ones((1, 3, 5, 7), np.float32)
    made = PadArray(array="x", height=6, width=9)({"x": pixels})["x"]
    assert made.shape == (1, 3, 6, 9)
    assert made[:, :, :5, :7].min() == 1
    assert made.sum() == pixels.sum()
    with pytest.raises(SampleError, match="takes 4 x 9 at most"):
        PadArray(array="x", height=4, width=9)({"x": pixels})
