"""How answers and arrays of two makers differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def largest_difference(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> float:
    """Largest difference of all outputs, each as a share of its size; infinite where shapes differ, or with NaN."""
    if len(mine) != len(theirs):
        return float("inf")
    worst = 0.0
    for value, expected in zip(mine.values(), theirs.values(), strict=True):
        if value.shape != expected.shape:
            return float("inf")
        if value.size:
            gap = np.abs(value.astype(np.float64) - expected.astype(np.float64)).max()
            if not np.isfinite(gap):
                return float("inf")
            worst = max(worst, float(gap) / (float(np.abs(expected).max()) or 1.0))
    return worst


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
