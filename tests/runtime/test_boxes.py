"""Steps that make boxes: decoding, going back to the picture, suppression, threshold."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgewright_runtime import SampleError
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.boxes.candidates import Candidates
from edgewright_runtime.steps.boxes.suppression import NameBoxes
from edgewright_runtime.steps.call import CallOptions
from edgewright_runtime.steps.values import Values

PACKAGE: Any = SimpleNamespace(manifest=SimpleNamespace(labels=("cat", "dog")))


def step(name: str, values: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {**values, **make_free_step(StepSpec(name, options))(values)}


def candidates(corners: Any, scores: Any, classes: Any = None) -> Candidates:
    classes = np.zeros(len(scores), dtype=np.int64) if classes is None else np.array(classes, dtype=np.int64)
    return Candidates(np.array(corners, dtype=np.float32).reshape(-1, 4), np.array(scores, dtype=np.float32), classes)


def suppressed(found: Candidates, **options: Any) -> list[float]:
    made = step("suppress_boxes", {"candidates": found}, threshold=0.1, **{"overlap": 0.5, **options})
    return [round(float(score), 4) for score in made["candidates"].scores]


def test_suppression() -> None:
    boxes = [[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [0, 0, 10, 10], [5, 5, 5, 5]]
    found = candidates(boxes, [0.8, 0.9, 0.3, 0.05, 0.2], [0, 0, 0, 0, 0])
    # The first overlaps the surest one by 9 of 11, the fourth is below the threshold, the last has no area.
    assert suppressed(found) == [0.9, 0.3, 0.2]
    assert suppressed(found, overlap=0.9) == [0.9, 0.8, 0.3, 0.2]
    other = candidates(boxes, [0.8, 0.9, 0.3, 0.05, 0.2], [1, 0, 0, 0, 0])
    assert suppressed(other) == [0.9, 0.8, 0.3, 0.2]
    assert suppressed(other, by_class=False) == [0.9, 0.3, 0.2]
    assert suppressed(candidates([], [])) == []


def test_fitting_and_going_back() -> None:
    """A point of the picture goes through fit and pad, and a box there comes back to it."""
    photo = np.zeros((60, 120, 3), dtype=np.uint8)
    values = step("decode_image", {"image": photo})
    values = step("fit_image", values, filter="linear", height=64, width=64, rounding="nearest")
    assert values["image"].size == (64, 32)
    values = step("pad_image", values, height=64, width=64, colour=114, centre=True)
    assert values["image"].size == (64, 64)
    assert values["image"].getpixel((5, 5)) == (114, 114, 114)
    assert values["image"].getpixel((5, 20)) == (0, 0, 0)
    # Centre, width and height in the input of 64 x 64; then scores of two classes, one anchor a column.
    rows = np.array([[32, 32, 16, 8, 0.2, 0.9], [0, 0, 9, 9, 0.3, 0.1]], dtype=np.float32)
    for output, options in ((rows.T[None], {}), (rows[None], {"anchors_last": False})):
        made = step("decode_anchors", values | {"out": output}, output="out", **options)["candidates"]
        assert np.allclose(made.corners[0], [45, 22.5, 75, 37.5])
        assert made.classes.tolist() == [1, 0]
        # What lies in the padding is cut to the picture, after suppression.
        assert made.corners[1].min() < 0
        kept = step("suppress_boxes", values | {"candidates": made}, overlap=0.5, threshold=0.25)["candidates"]
        assert len(kept.corners) == 2
        assert kept.corners[1].min() == 0
    with_things = np.insert(rows, 4, [0.5, 1], axis=1)[None]
    made = step("decode_anchors", values | {"out": with_things}, output="out", anchors_last=False, objectness=True)
    assert np.allclose(made["candidates"].scores, [0.45, 0.3])
    with pytest.raises(SampleError, match=r"'out' is \[2, 6\]; expected \[1, 4 \+ classes, anchors\]"):
        step("decode_anchors", values | {"out": rows}, output="out")
    with pytest.raises(SampleError, match="which leaves room for classes"):
        step("decode_anchors", values | {"out": rows[None, :, :4]}, output="out", anchors_last=False)


def test_stretched_pictures_and_multiples() -> None:
    values = step("decode_image", {"image": np.zeros((50, 100, 3), dtype=np.uint8)})
    values = step("resize_image", values, filter="bilinear", height=64, width=64)
    boxes = {"boxes": np.array([[0, 0, 32, 64]], dtype=np.float32), "scores": np.array([0.5]), "kinds": np.array([1])}
    made = step("take_boxes", values | boxes, boxes="boxes", scores="scores", classes="kinds", first_class=1)
    assert np.allclose(made["candidates"].corners, [[0, 0, 50, 50]])
    assert made["candidates"].classes.tolist() == [0]
    padded = step("pad_image", {"image": Image.new("L", (50, 33))}, multiple_of=32, colour=9)
    assert padded["image"].size == (64, 64)
    assert padded["image"].getpixel((60, 3)) == 9


def test_boxes_that_a_graph_chose_in_other_forms() -> None:
    """TensorFlow's shares of the picture, top first; and a score and a class behind the sides of each."""
    picture = {"image_size": (50, 100), "x": np.zeros((1, 50, 100, 3))}
    rows = np.array([[[0.2, 0.1, 0.6, 0.5]]], dtype=np.float32)
    given = picture | {"b": rows, "s": np.array([[0.9]]), "c": np.array([[2.0]])}
    options = {"boxes": "b", "scores": "s", "classes": "c", "first_class": 1}
    made = step("take_boxes", given, **options, sides="yxyx", image="x")["candidates"]
    assert np.allclose(made.corners, [[10, 10, 50, 30]])
    assert made.classes.tolist() == [1]
    in_one = np.array([[[1, 2, 3, 4, 0.8, 1], [0, 0, 0, 0, 0, 0]]], dtype=np.float32)
    made = step("take_boxes", picture | {"b": in_one}, boxes="b")["candidates"]
    assert (made.scores[0], made.classes[0]) == (pytest.approx(0.8), 1)
    with pytest.raises(SampleError, match=r"'b' is \[1, 1, 4\]; expected boxes"):
        step("take_boxes", picture | {"b": rows}, boxes="b")


def test_names_and_thresholds() -> None:
    found = candidates([[0, 0, 1, 1]] * 4, [0.4, 0.9, float("nan"), 0.6], [0, 1, 1, 0])
    values: dict[str, Any] = {"candidates": found}
    name = NameBoxes(PACKAGE, threshold=0.5)
    found_boxes: list[Any] = [(one["label"], one["score"]) for one in name(values)["boxes"]]
    assert found_boxes == [
        ("dog", pytest.approx(0.9)),
        ("cat", pytest.approx(0.6)),
    ]
    assert len(name(Values.for_call(values, CallOptions(options={"threshold": 0.7})))["boxes"]) == 1
    for wrong in (1.5, -0.1, "half", True):
        with pytest.raises(SampleError, match="a number from 0 to 1"):
            name(Values.for_call(values, CallOptions(options={"threshold": wrong})))
    scored = NameBoxes(PACKAGE, threshold=0.1, shown=0.5, max_boxes=3)(values)["boxes"]
    assert [one["shown"] for one in scored] == [True, True, False]
    values = {"candidates": candidates([[0, 0, float("inf"), 1]], [0.9])}
    assert name(values)["boxes"] == []
    with pytest.raises(SampleError, match="outside its 2 labels"):
        name({"candidates": candidates([[0, 0, 1, 1]], [0.9], [2])})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fit_image", {"filter": "linear"}),
        ("fit_image", {"filter": "linear", "height": 4}),
        ("fit_image", {"filter": "linear", "height": 4, "width": 4, "shortest_edge": 4, "longest_edge": 8}),
        ("fit_image", {"filter": "linear", "shortest_edge": 4}),
        ("fit_image", {"filter": "linear", "height": 4, "width": 0}),
        ("fit_image", {"filter": "linear", "height": 4, "width": 4, "rounding": "up"}),
        ("pad_image", {}),
        ("pad_image", {"height": 4}),
        ("pad_image", {"multiple_of": 0}),
        ("pad_image", {"multiple_of": 4, "colour": 300}),
        ("decode_queries", {"logits": "a", "boxes": "b", "scores": "tanh"}),
        ("suppress_boxes", {"overlap": 2, "threshold": 0.5}),
    ],
)
def test_wrong_options(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"size|scores|shares|colour|width is 0|rounding is|multiple_of is 0"):
        make_free_step(StepSpec(name, options))
