"""How far answers are apart: values one by one, and boxes by what two machines both found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgewright_runtime.likeness import Likeness, likeness_of
from edgewright_runtime.manifest import ComparisonSpec, PipelineSpec, StepSpec

_TAKE = StepSpec("take_boxes", {"boxes": "corners", "scores": "sure", "classes": "kinds"})
_SQUARES = np.array([[0, 0, 10, 10], [50, 50, 60, 60], [0, 50, 10, 60]], np.float32)
_SURE = np.array([0.9, 0.6, 0.06], np.float32)


def found(chosen: Any = slice(None), *, shift: float = 0.0, kinds: Any = (1, 2, 1), less: float = 0.0) -> Any:
    corners, classes = _SQUARES + np.float32(shift), np.array(kinds, np.int64)
    return {"corners": corners[chosen], "sure": _SURE[chosen] - np.float32(less), "kinds": classes[chosen]}


@pytest.fixture
def boxes() -> Likeness:
    measured = ComparisonSpec((_TAKE, StepSpec("name_boxes")), "boxes")
    return likeness_of(PipelineSpec("image", "boxes", (), measured))


def test_the_same_boxes_in_any_order_are_not_apart(boxes: Likeness) -> None:
    assert boxes.boxes == ("corners", "sure", "kinds")
    assert boxes.difference(found([2, 0, 1]), found()) == 0
    assert boxes.difference(found([]), found([])) == 0


def test_a_box_counts_by_its_score(boxes: Likeness) -> None:
    total = float(_SURE.sum())
    # One that was only just found, or not: the number of boxes is another, and hardly anything is different.
    assert boxes.difference(found([0, 1]), found()) == pytest.approx(0.06 / total)
    assert boxes.difference(found(), found([0, 1])) == pytest.approx(0.06 / total)
    assert 0.06 / total < boxes.floor
    assert boxes.difference(found([1, 2]), found()) == pytest.approx(0.9 / total)
    assert boxes.difference(found([]), found()) == boxes.difference(found(), found([])) == 1
    # Another class is another box: one too many here and one too few there.
    assert boxes.difference(found(kinds=(2, 2, 1)), found()) == pytest.approx(1.8 / (total + 0.9))
    assert boxes.difference(found(less=0.05), found()) == pytest.approx(0.15 / total, rel=1e-5)
    # Moved by a tenth of a side both ways: 81 of 119 pixels in common.
    assert boxes.difference(found(shift=1.0), found()) == pytest.approx(1 - 81 / 119)


def test_boxes_that_are_no_numbers_on_both_sides_are_not_apart(boxes: Likeness) -> None:
    odd, other = found(), found([2, 0, 1])
    for side, row in ((odd, 2), (other, 0)):
        side["corners"] = side["corners"].copy()
        side["corners"][row] = [np.nan, 0, np.inf, 60]
    assert boxes.difference(odd, other) == 0
    other["sure"] = other["sure"] + np.array([0.01, 0, 0], np.float32)
    assert boxes.difference(odd, other) == float("inf")


def test_the_place_of_what_only_one_side_has() -> None:
    expected = {"y": np.array([[0.5, -np.inf]]), "label": np.array(["cat"])}
    assert Likeness().difference(expected, expected) == 0
    assert Likeness().odd_place(expected, expected) == ""
    given = {**expected, "y": np.array([[0.5, 1.0]])}
    assert Likeness().difference(given, expected) == float("inf")
    assert Likeness().odd_place(given, expected) == "'y' at [0, 1] is 1 and should be -inf"
    assert "'label' at [0]" in Likeness().odd_place({**expected, "label": np.array(["dog"])}, expected)


def test_what_is_no_number_or_missing_is_infinitely_far(boxes: Likeness) -> None:
    odd = found()
    odd["corners"] = np.full_like(odd["corners"], np.nan)
    assert boxes.difference(odd, found()) == boxes.difference(found(), odd) == float("inf")
    assert boxes.difference({"sure": _SURE}, found()) == float("inf")


def test_other_outputs_are_compared_value_by_value() -> None:
    like = likeness_of(PipelineSpec("image", "segmentation", (StepSpec("infer"), StepSpec("segment_image"))))
    mask = {"logits": np.array([[[[1.0, 2.0]], [[3.0, 0.0]]]])}
    turned = {"logits": mask["logits"][..., ::-1]}
    assert like.difference(turned, mask) == 3
    # The largest along a row of a mask is not a choice; of a classifier's scores it is.
    assert like.same_choice(turned, mask)
    assert not likeness_of(PipelineSpec("image", "labels", (StepSpec("classify"),))).same_choice(turned, mask)
    assert like.difference({"logits": mask["logits"][..., :1]}, mask) == float("inf")
