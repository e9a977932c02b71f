"""Poses drawn on their picture: a box for each thing, and a dot for each of its keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_cli.draw_boxes import colour_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from edgewright_runtime.answer_types import FoundPose

# A dot takes so much of the shorter edge of the picture, in pixels between these; a line a third of it.
_DOT_SHARE, _DOTS = 1 / 100, (2, 12)
_WHITE = (255, 255, 255)


def draw_poses(picture: Image, poses: Sequence[FoundPose]) -> Image:
    """A copy of `picture` with `poses` on it, the surest on top; a keypoint has the same colour in each.

    Args:
        picture: In colour.
        poses: As the steps `read_keypoints` and `name_poses` give them, in pixels of it.
    """
    from PIL import ImageDraw

    made = picture.copy()
    draw = ImageDraw.Draw(made)
    size = int(min(max(round(min(made.size) * _DOT_SHARE), _DOTS[0]), _DOTS[1]))
    for pose in sorted(poses, key=lambda one: float(one["score"])):
        draw.rectangle(tuple(pose["box"].values()), outline=_WHITE, width=max(1, size // 3))
        for point in pose["keypoints"]:
            x, y = point["x"], point["y"]
            draw.ellipse((x - size, y - size, x + size, y + size), fill=colour_of(point["label"]), outline=_WHITE)
    return made
