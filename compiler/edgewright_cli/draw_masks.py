"""The classes of pixels as colours over their picture, with their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_cli.draw_boxes import colour_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from edgewright_runtime.answer_types import FoundMask, Segmentation

# How much of the colour of a class covers the picture.
_COVER = 0.55
# Names are written in letters of this share of the shorter edge, in pixels between these.
_TEXT_SHARE, _LEAST, _MOST = 1 / 22, 10, 32
# A class of this name is the rest of the picture, and keeps its own colours.
_REST = "background"
# A thing without a name has the colour of this one.
_THING = "thing"


def draw_masks(picture: Image, answer: Segmentation) -> Image:
    """A copy of `picture` under the colours of its classes, a list of them in its upper left corner.

    Args:
        picture: In colour.
        answer: As the step `segment_image` gives it, of the size of the picture.
    """
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    mask = np.asarray(answer["mask"])
    pixels = np.asarray(picture).astype(np.float32)
    shown = [segment for segment in answer["segments"] if segment["label"] != _REST]
    for segment in shown:
        here = mask == segment["index"]
        pixels[here] = pixels[here] * (1 - _COVER) + np.array(colour_of(segment["label"]), dtype=np.float32) * _COVER
    made = Image.fromarray(np.rint(pixels).astype(np.uint8))
    draw = ImageDraw.Draw(made)
    font = ImageFont.load_default(min(max(min(made.size) * _TEXT_SHARE, _LEAST), _MOST))
    line = sum(font.getmetrics())  # type: ignore[union-attr]
    # As many names as the height takes: the largest parts come first.
    for row, segment in enumerate(shown[: made.height // line]):
        text = f"{segment['label']} {segment['share']:.0%}"
        draw.rectangle((0, row * line, draw.textlength(text, font) + line, (row + 1) * line - 1), fill=(0, 0, 0))
        draw.rectangle((2, row * line + 2, line - 4, (row + 1) * line - 4), fill=colour_of(segment["label"]))
        draw.text((line, row * line), text, (255, 255, 255), font)
    return made


def draw_thing(picture: Image, masks: Sequence[FoundMask]) -> Image:
    """A copy of `picture` with the surest of `masks` on it; without a mask a copy.

    Args:
        picture: In colour.
        masks: As the step `read_masks` gives them, of the size of the picture, the surest first.
    """
    import numpy as np
    from PIL import Image

    pixels = np.asarray(picture).astype(np.float32)
    for one in masks[:1]:
        here = np.asarray(one["mask"])
        pixels[here] = pixels[here] * (1 - _COVER) + np.array(colour_of(_THING), dtype=np.float32) * _COVER
    return Image.fromarray(np.rint(pixels).astype(np.uint8))
