"""Ground truth of a picture with objects: boxes with labels, as COCO writes them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright_benchmarks.truth.ground_truth import Truth, class_index
from edgewright_benchmarks.truth.picture_size import picture_size
from edgewright_targets import InputError

# People draw a little over the edge of a picture: by this share of it.
_OVER_THE_EDGE = 0.05


@dataclass(frozen=True)
class TrueBox:
    """A thing in a picture.

    Attributes:
        label: What it is.
        box: Left, top, width, height, in pixels.
        crowd: It stands for several things: what is found in it is neither right nor wrong.
    """

    label: str
    box: tuple[float, float, float, float]
    crowd: bool = False


def true_boxes(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[TrueBox, ...]:
    """The boxes of one picture: `{"bbox": [[x, y, width, height], ...], "categories": [...]}`, as `datasets` has it.

    Categories are names of classes or their indices. A cell of a table holds it as JSON.

    Raises:
        InputError: It is of another form, or names a class that the model does not have.
    """
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{place}: the objects are not valid JSON: {error}.") from error
    names = ("categories", "category")
    kinds = next((cell[name] for name in names if name in cell), None) if isinstance(cell, Mapping) else None
    boxes = cell.get("bbox") if isinstance(cell, Mapping) else None
    if not isinstance(boxes, list) or not isinstance(kinds, list) or len(boxes) != len(kinds):
        raise InputError(
            f"{place}: the objects of a picture must be a list of boxes and a list of classes of the same length.",
            hint='For example: {"bbox": [[10, 20, 30, 40]], "categories": ["cat"]}',
        )
    return tuple(
        TrueBox(_label(kind, class_names, place), checked_box(box, f"{place}, box {index}"))
        for index, (kind, box) in enumerate(zip(kinds, boxes, strict=True))
    )


def _label(kind: Any, class_names: tuple[str, ...], place: str) -> str:
    if isinstance(kind, int) and not isinstance(kind, bool):
        if not 0 <= kind < len(class_names):
            raise InputError(f"{place}: there is no class {kind}; the model has {len(class_names)} labels.")
        return class_names[kind]
    return class_names[class_index(kind, class_names, place)]


def checked_box(box: Any, place: str) -> tuple[float, float, float, float]:
    """A box as four numbers.

    Raises:
        InputError: It is not a box.
    """
    numbers = isinstance(box, Sequence) and all(
        isinstance(side, (int, float)) and not isinstance(side, bool) and abs(side) <= sys.float_info.max
        for side in box
    )
    if not numbers or len(box) != 4:
        raise InputError(f"{place}: a box must be four numbers, [x, y, width, height]; found {box!r}.")
    left, top, width, height = (float(side) for side in box)
    if width < 0 or height < 0:
        raise InputError(
            f"{place}: a box has the width {width:g} and the height {height:g}.",
            hint="Boxes are [x, y, width, height]. These may be two corners.",
        )
    return left, top, width, height


def _fits(sample: Any, boxes: tuple[TrueBox, ...], place: str) -> None:
    """Raise where boxes are of a picture of another size; of a file that is not a picture the engines say so."""
    size = picture_size(sample)
    for index, box in enumerate(boxes):
        refuse_outside(box, size, f"{place}, box {index}")


def refuse_outside(box: TrueBox, size: tuple[int, int] | None, place: str) -> None:
    """Raise where a box begins or ends clearly outside of a picture of (width, height).

    Raises:
        InputError: It does.
    """
    if size is None:
        return
    left, top, width, height = box.box
    over = _OVER_THE_EDGE * size[0], _OVER_THE_EDGE * size[1]
    right, bottom = left + width, top + height
    if left < -over[0] or top < -over[1] or right > size[0] + over[0] or bottom > size[1] + over[1]:
        raise InputError(
            f"{place}: the box {list(box.box)} is not inside its picture, which is {size[0]} x {size[1]}.",
            hint="Boxes are [x, y, width, height] in pixels of the stored picture.",
        )


OBJECTS = Truth("objects", true_boxes, _fits)
