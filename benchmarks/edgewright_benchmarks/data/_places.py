"""Places in a picture that are part of a sample: a box, or points."""

from __future__ import annotations

import json
import math
from typing import Any

from edgewright_benchmarks.truth.objects import checked_box
from edgewright_targets import InputError


def place_of_cell(name: str, cell: Any, place: str) -> list[Any] | None:
    """The input `box` or `points` of a cell, as JSON or a list; None of an empty cell, as samples may lack it.

    Args:
        name: Of the input.
        cell: Of a table.
        place: In the file, for messages.

    Raises:
        InputError: It is neither empty nor such a place.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        found = json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        found = cell
    if name == "box":
        return list(checked_box(found, place))
    return _checked_points(found, place)


def _checked_points(points: Any, place: str) -> list[list[float]]:
    rows: list[Any] = points if isinstance(points, list) and points else [None]
    for row in rows:
        numbers = isinstance(row, list) and all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) for value in row
        )
        if not numbers or len(row) not in (2, 3) or row[2:] not in ([], [0], [1]):
            raise InputError(
                f"{place}: points must be a list of [x, y], or [x, y, 1] for what is wanted and [x, y, 0] for what is "
                f"not; found {str(points)[:60]!r}."
            )
    return [list(map(float, row)) for row in rows]
