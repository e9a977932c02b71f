"""Series, places in a picture, and words of a page with their boxes, out of JSON."""

from __future__ import annotations

import numpy as np

from edgewright_serving.requests.refusals import RefusalError

# As many as the step that reads them takes.
MOST_POINTS = 10_000
_BOX_NUMBERS, _POINT_NUMBERS = 4, (2, 3)
# Words of a page; its boxes are as many.
MOST_WORDS = 20_000
_BOX = "box"


def series_of(given: object) -> object:
    """The values of a series in the order of time: an array, or columns by name; None where it is something else.

    A value may be null: the package says where it misses one.

    Raises:
        RefusalError: A list is not one of numbers, or its rows have different lengths.
    """
    if isinstance(given, dict):
        return dict(given) if given and all(map(_is_column, given.values())) else None
    if not isinstance(given, list):
        return None
    try:
        # An array, as a list would be several series.
        return np.asarray(given, np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise RefusalError(400, f"The series is not a list of numbers: {error}.") from error


def _is_column(given: object) -> bool:
    return isinstance(given, list) and not any(isinstance(cell, list | dict) for cell in given)


def box_of(given: object) -> object:
    """A box [x, y, width, height], or as detectors answer it; None where it is something else."""
    sides = given.get(_BOX, given) if isinstance(given, dict) else given
    if isinstance(sides, dict):
        numbers = _numbers(list(sides.values()))
        return None if numbers is None else dict(zip(sides, numbers, strict=True))
    return _numbers(sides)


def points_of(given: object) -> list[list[float]] | None:
    """Points of two or three numbers; None where it is something else."""
    if not isinstance(given, list) or not 0 < len(given) <= MOST_POINTS:
        return None
    found = [one for point in given if (one := _numbers(point)) is not None and len(one) in _POINT_NUMBERS]
    return found if len(found) == len(given) else None


def words_of(given: object) -> list[str] | None:
    """The words of a page; None where they are something else."""
    words = [one for one in _entries(given, MOST_WORDS) if isinstance(one, str)]
    return words if words and isinstance(given, list) and len(words) == len(given) else None


def boxes_of(given: object) -> list[list[float]] | None:
    """A box of four numbers for each word; None where it is something else."""
    found = [one for box in _entries(given, MOST_WORDS) if (one := _numbers(box)) and len(one) == _BOX_NUMBERS]
    return found if found and isinstance(given, list) and len(found) == len(given) else None


def _entries(given: object, most: int) -> list[object]:
    return given if isinstance(given, list) and len(given) <= most else []


def _numbers(given: object) -> list[float] | None:
    """At most four numbers."""
    if not isinstance(given, list) or not 0 < len(given) <= _BOX_NUMBERS:
        return None
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in given):
        return None
    try:
        return [float(one) for one in given]
    except OverflowError:
        return None
