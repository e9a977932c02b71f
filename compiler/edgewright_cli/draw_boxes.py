"""Boxes with labels and scores, drawn on their picture."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

    from edgewright_runtime.answer_types import FoundBox

# Told apart by most people, on light and on dark pictures.
_COLOURS = (
    (230, 60, 60), (40, 140, 240), (250, 180, 20), (30, 170, 90), (190, 80, 220), (250, 120, 20), (20, 190, 200),
    (240, 100, 170), (150, 190, 30), (120, 110, 250), (200, 140, 80), (110, 200, 150),
)  # fmt: skip
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
# A line takes so much of the longer edge of the picture, letters of the shorter one, in pixels between these.
_LINE_SHARE, _LINES = 1 / 300, (1, 8)
_TEXT_SHARE, _TEXTS = 1 / 26, (10, 40)


def draw_boxes(picture: Image, boxes: Sequence[FoundBox]) -> Image:
    """A copy of `picture` with `boxes` on it, the surest on top.

    Args:
        picture: In colour.
        boxes: As the step `name_boxes` gives them, in pixels of it.
    """
    from PIL import ImageDraw, ImageFont

    made = picture.copy()
    draw = ImageDraw.Draw(made)
    line = _between(max(made.size) * _LINE_SHARE, _LINES)
    size = _between(min(made.size) * _TEXT_SHARE, _TEXTS)
    font = ImageFont.load_default(size)
    colours = _colours({entry["label"] for entry in boxes})
    for entry in sorted(boxes, key=lambda one: float(one["score"])):
        colour = colours[entry["label"]]
        left, top, right, bottom = _inside(entry["box"], made.size)
        draw.rectangle((left, top, right, bottom), outline=colour, width=line)
        text = f"{entry['label']} {entry['score']:.2f}"
        if draw.textlength(text, font) > made.width:
            text = entry["label"]
        _tag(draw, text, font, (left, top, bottom), colour, made.size)
    return made


def _colours(labels: set[str]) -> dict[str, tuple[int, int, int]]:
    """A colour for each label: its own, unless another label in the picture has it."""
    free = list(range(len(_COLOURS)))
    found = {}
    for label in sorted(labels):
        own = _COLOURS.index(colour_of(label))
        number = own if own in free or not free else free[own % len(free)]
        found[label] = _COLOURS[number]
        if number in free:
            free.remove(number)
    return found


def colour_of(label: str) -> tuple[int, int, int]:
    """The colour of a class."""
    return _COLOURS[zlib.crc32(label.encode()) % len(_COLOURS)]


def _between(value: float, limits: tuple[int, int]) -> int:
    return int(min(max(round(value), limits[0]), limits[1]))


def _inside(box: Mapping[str, float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box as whole pixels that can be seen: parts outside of the picture are cut off."""
    sides = []
    for low, high, edge in (("xmin", "xmax", size[0]), ("ymin", "ymax", size[1])):
        first = min(max(round(box[low]), 0), edge - 1)
        sides.append((first, min(max(round(box[high]) - 1, first), edge - 1)))
    (left, right), (top, bottom) = sides
    return left, top, right, bottom


def _tag(
    draw: Any, text: str, font: Any, place: tuple[int, int, int], colour: tuple[int, int, int], size: tuple[int, int]
) -> None:
    """A label on its box's colour: above the box where there is room, else below it, else in it."""
    left, top, bottom = place
    height = sum(font.getmetrics())
    width = round(draw.textlength(text, font)) + max(4, height // 3)
    left = max(0, min(left, size[0] - width))
    if top >= height:
        top -= height
    elif bottom + height < size[1]:
        top = bottom + 1
    draw.rectangle((left, top, left + width - 1, top + height - 1), fill=colour)
    # Light from the parts of a colour, as eyes weigh them (ITU-R BT.601).
    light = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    draw.text((left + width / 2, top + height / 2), text, _BLACK if light > 140 else _WHITE, font, anchor="mm")
