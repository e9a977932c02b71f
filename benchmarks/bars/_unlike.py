"""How answers and arrays of two makers differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def largest_difference(mine: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> float:
    """Largest difference of all outputs, each as a share of its size in any sample; infinite for other shapes, or NaN.

    Not of its size in one: the score of a keyword that nobody said is next to nothing, and so are its rounding errors.
    """
    columns = [[list(one.values()) for one in some] for some in (mine, theirs)]
    if len({len(values) for some in columns for values in some}) != 1:
        return float("inf")
    outputs = zip(*(zip(*some, strict=True) for some in columns), strict=True)
    return max(_difference(found, expected) for found, expected in outputs)


def _difference(mine: Sequence[Any], theirs: Sequence[Any]) -> float:
    """Of one output in all samples."""
    gap = size = 0.0
    for value, expected in zip(mine, theirs, strict=True):
        if value.shape != expected.shape:
            return float("inf")
        if expected.dtype.kind in "USO":
            # Texts, such as names of classes, are the same or not.
            if not np.array_equal(value.astype(str), expected.astype(str)):
                return float("inf")
        elif value.size:
            largest = float(np.abs(value.astype(np.float64) - expected.astype(np.float64)).max())
            if not np.isfinite(largest):
                return float("inf")
            gap, size = max(gap, largest), max(size, float(np.abs(expected).max()))
    return gap / (size or 1.0)


def unlike(mine: Any, theirs: Any, tolerance: float, share: float = 0.0) -> str:
    """How two answers differ, or nothing: numbers within the tolerance, all else equal.

    Args:
        mine: As JSON has it.
        theirs: The same; arrays of whole numbers may differ in that `share` of them.
        tolerance: Of fractions, absolute below 1 and relative above.
        share: See `theirs`.
    """
    if isinstance(theirs, np.ndarray):
        found = np.asarray(mine)
        if found.shape != theirs.shape:
            return f"{found.shape} and {theirs.shape}"
        gaps = np.abs(found.astype(np.float64) - theirs.astype(np.float64))
        if theirs.dtype.kind in "iu":
            return "" if (gaps > 0).mean() <= share else f"{(gaps > 0).mean():.2%} of the numbers differ"
        return (
            "" if (gaps <= tolerance * np.maximum(1, np.abs(theirs))).all() else f"numbers differ by {gaps.max():.2g}"
        )
    if isinstance(theirs, dict) and isinstance(mine, dict) and set(mine) >= set(theirs):
        return next(filter(None, (unlike(mine[key], theirs[key], tolerance, share) for key in theirs)), "")
    if isinstance(theirs, (list, tuple)) and isinstance(mine, list) and len(mine) == len(theirs):
        pairs = zip(mine, theirs, strict=True)
        return next(filter(None, (unlike(one, other, tolerance, share) for one, other in pairs)), "")
    if isinstance(theirs, float) and isinstance(mine, (float, int)):
        return "" if abs(mine - theirs) <= tolerance * max(1, abs(theirs)) else f"{mine:.5g} and {theirs:.5g}"
    return "" if mine == theirs else f"{_short(mine)} and {_short(theirs)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."
