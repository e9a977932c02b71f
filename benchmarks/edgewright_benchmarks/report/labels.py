"""Numbers beside points, placed so that they cover neither each other nor a marker."""

from __future__ import annotations

import math
from collections.abc import Sequence

# left, bottom, right, top, in points of the drawing
Box = tuple[float, float, float, float]

_ANGLES = (45, 135, -45, -135, 0, 180, 90, -90)
_RADII = (10, 15, 20, 26, 34)
_MARKER = 5.5


def place(points: Sequence[tuple[float, float]], texts: Sequence[str], taken: Sequence[Box], room: Box) -> list[Box]:
    """A box for the text of each point: inside `room`, clear of markers, of `taken` and of the boxes placed before."""
    markers = [(x - _MARKER, y - _MARKER, x + _MARKER, y + _MARKER) for x, y in points]
    placed: list[Box] = []
    for point, text in zip(points, texts, strict=True):
        width, height = 6.6 * len(text), 9.0
        tries = [_box(point, radius, angle, width, height) for radius in _RADII for angle in _ANGLES]
        obstacles = [*markers, *taken, *placed]
        # min() keeps the first of the best: the nearest place, upper right before the others.
        placed.append(min(tries, key=lambda box: (_outside(box, room), _overlap(box, obstacles))))
    return placed


def _box(point: tuple[float, float], radius: float, angle: float, width: float, height: float) -> Box:
    x = point[0] + radius * math.cos(math.radians(angle))
    y = point[1] + radius * math.sin(math.radians(angle))
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _overlap(box: Box, others: Sequence[Box]) -> float:
    total = 0.0
    for other in others:
        wide = min(box[2], other[2]) - max(box[0], other[0])
        high = min(box[3], other[3]) - max(box[1], other[1])
        total += max(0.0, wide) * max(0.0, high)
    return total


def _outside(box: Box, room: Box) -> bool:
    return box[0] < room[0] or box[1] < room[1] or box[2] > room[2] or box[3] > room[3]
