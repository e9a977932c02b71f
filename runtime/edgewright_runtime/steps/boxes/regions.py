"""Regions of a map that hang together, and the smallest rectangles around points; with numpy alone.

They do for detectors of text what OpenCV's `findContours` and `minAreaRect` and Clipper's offset of a polygon do, which
are not on a device.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Clipper's: an arc is at most so many units from its chords.
_ARC_TOLERANCE = 0.25
# Of a pixel: nearer to a whole number, a place is that number.
_NEARLY = 1e-6


def regions_of(mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """The ends of the runs of each region of a mask (rows, columns), points x, y; the lowest region first.

    Pixels that touch at a side or at a corner are of one region.
    """
    rows, starts, ends = _runs(mask)
    if not len(rows):
        return []
    labels = _joined(rows, starts, ends)
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    found = []
    for chosen in np.split(order, cuts):
        y = np.concatenate([rows[chosen], rows[chosen]])
        x = np.concatenate([starts[chosen], ends[chosen] - 1])
        found.append(np.stack([x, y], axis=1).astype(np.float32))
    return found[::-1]


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row, first column and the column behind the last of each run of pixels, row by row."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    return rows, starts, np.nonzero(edges == -1)[1]


def _joined(rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each run the number of the first run of its region."""
    first = np.searchsorted(rows, np.arange(rows[-1] + 2))
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    starts_list, ends_list = starts.tolist(), ends.tolist()
    for row in range(rows[0], rows[-1]):
        above, below = int(first[row]), int(first[row + 1])
        last_above, last_below = below, int(first[row + 2])
        while above < last_above and below < last_below:
            # Corners touch: one column apart is near enough.
            if starts_list[above] <= ends_list[below] and starts_list[below] <= ends_list[above]:
                one, other = sorted((root(above), root(below)))
                parents[other] = one
            if ends_list[above] < ends_list[below]:
                above += 1
            else:
                below += 1
    return np.array([root(run) for run in range(len(rows))], dtype=np.int64)


def hull_of(points: NDArray[Any]) -> NDArray[np.float64]:
    """The corners of the convex hull of points (points, 2), in order (A. M. Andrew, 1979)."""
    ordered = sorted(set(map(tuple, points.astype(np.float64).tolist())))
    if len(ordered) < 3:
        return np.array(ordered, dtype=np.float64)
    halves = []
    for walk in (ordered, ordered[::-1]):
        half: list[tuple[float, float]] = []
        for x, y in walk:
            while len(half) > 1:
                (ax, ay), (bx, by) = half[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                half.pop()
            half.append((x, y))
        halves += half[:-1]
    return np.array(halves, dtype=np.float64)


def smallest_rectangle(points: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
    """The four corners of the rectangle of the smallest area around points, and its shorter side.

    One of its sides lies on a side of the convex hull (H. Freeman, R. Shapira, 1975).
    """
    hull = hull_of(points)
    sides = np.roll(hull, -1, axis=0) - hull
    lengths = np.hypot(*sides.T)
    if not lengths.any():
        return np.repeat(hull[:1], 4, axis=0), 0.0
    along = sides[lengths > 0] / lengths[lengths > 0, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    first, second = hull @ along.T, hull @ across.T
    low, high = np.stack([first.min(0), second.min(0)]), np.stack([first.max(0), second.max(0)])
    width, height = high - low
    best = int((width * height).argmin())
    axes = np.stack([along[best], across[best]])
    (left, top), (right, bottom) = low[:, best], high[:, best]
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) @ axes
    # A corner that is a point of the hull is a whole number, also after turning it there and back.
    whole = np.round(corners)
    corners = np.where(np.abs(corners - whole) < _NEARLY, whole, corners)
    return corners, float(min(width[best], height[best]))


def offset_polygon(corners: NDArray[Any], distance: float) -> NDArray[np.float64]:
    """Points of the polygon that lies by a distance around a convex one, its corners rounded off; whole numbers.

    Clipper's own arcs (A. Johnson, `ClipperOffset` with round joins), which calculates with whole numbers.

    Args:
        corners: In order, (corners, 2); parts of a unit are cut off.
        distance: Positive.
    """
    points: NDArray[np.float64] = np.trunc(corners)
    points = points[(points != np.roll(points, 1, axis=0)).any(axis=1)]
    if len(points) < 3:
        return points
    x, y = points.T
    if (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() < 0:
        points = points[::-1]
    sides = np.roll(points, -1, axis=0) - points
    normals = np.stack([sides[:, 1], -sides[:, 0]], axis=1) / np.hypot(*sides.T)[:, None]
    tolerance = min(_ARC_TOLERANCE, distance * _ARC_TOLERANCE)
    steps = min(math.pi / math.acos(1 - tolerance / distance), distance * math.pi)
    turn = 2 * math.pi / steps
    found = []
    for point, before, after in zip(points, np.roll(normals, 1, axis=0), normals, strict=True):
        angle = math.atan2(before[0] * after[1] - after[0] * before[1], float(before @ after))
        count = max(round(steps / (2 * math.pi) * abs(angle)), 1)
        angles = math.atan2(before[1], before[0]) + turn * np.arange(count)
        around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        found.append(point + distance * np.concatenate([around, after[None]]))
    made = np.concatenate(found)
    # Halves away from nought, as Clipper rounds.
    rounded: NDArray[np.float64] = np.trunc(made + np.copysign(0.5, made))
    return rounded


def mean_inside(array: NDArray[Any], corners: NDArray[Any]) -> float:
    """The mean of the values of a map (rows, columns) in a convex polygon, whose sides belong to it.

    Args:
        array: The map.
        corners: x, y in order, (corners, 2); parts of a pixel are cut off, as OpenCV's `fillPoly` is given them.
    """
    height, width = array.shape
    limits = np.array([width - 1, height - 1])
    low = np.clip(np.floor(corners.min(0)), 0, limits).astype(np.int64)
    high = np.clip(np.ceil(corners.max(0)), 0, limits).astype(np.int64)
    part = array[low[1] : high[1] + 1, low[0] : high[0] + 1]
    inside = _filled(np.trunc(corners - low).astype(np.int64), part.shape)
    return float(part[inside].mean())


def _filled(points: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The pixels of a convex polygon, as OpenCV's `fillPoly` has them: its sides, and rows between them rounded."""
    mask = np.zeros(shape, dtype=bool)
    first, last = np.full(shape[0], np.inf), np.full(shape[0], -np.inf)
    for one, other in zip(points, np.roll(points, -1, axis=0), strict=True):
        # From left to right: where a pixel is as near as another, the direction decides.
        (ax, ay), (bx, by) = sorted((tuple(one), tuple(other)))
        long, short = max(abs(bx - ax), abs(by - ay)), min(abs(bx - ax), abs(by - ay))
        along = np.arange(long + 1)
        across = np.ceil(along * (short / max(long, 1)) - 0.5).astype(np.int64)
        right, down = (along, across) if bx - ax >= abs(by - ay) else (across, along)
        y, x = ay + (down if by >= ay else -down), ax + right
        # Rectangles of lines at the edge of a map are partly beyond it.
        there = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
        mask[y[there], x[there]] = True
        (top_x, top), (end_x, end) = ((ax, ay), (bx, by)) if ay <= by else ((bx, by), (ax, ay))
        rows = np.arange(max(top, 0), min(end, shape[0]))
        crossed = top_x + (rows - top) * ((end_x - top_x) / max(end - top, 1))
        first[rows], last[rows] = np.minimum(first[rows], crossed), np.maximum(last[rows], crossed)
    columns = np.arange(shape[1])
    return mask | ((columns >= np.floor(first + 0.5)[:, None]) & (columns <= np.floor(last + 0.5)[:, None]))
