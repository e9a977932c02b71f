"""Ground truth of named arrays that is neither a class nor a number: rows of numbers, sequences, and what it may be."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.truth.ground_truth import LABEL_COLUMN, Truth
from edgewright_targets import InputError

Array = NDArray[Any]


def _rows(truth: Array, path: Path) -> list[Any]:
    """Numbers of each sample in one row."""
    if truth.dtype.kind not in "iufb":
        raise InputError(f"'{path}': the array '{LABEL_COLUMN}' must hold numbers; it is {truth.dtype}.")
    rows = truth.reshape(len(truth), -1).astype(np.float64)
    if not np.isfinite(rows).all():
        raise InputError(f"'{path}': the array '{LABEL_COLUMN}' has NaN or infinite values.")
    return list(rows)


def _sequences(truth: Array, path: Path) -> list[Any]:
    """Whole numbers of each sample in their order; those below zero fill up the shorter ones."""
    if truth.dtype.kind not in "iu":
        raise InputError(
            f"'{path}': the array '{LABEL_COLUMN}' must hold sequences of whole numbers; it is {truth.dtype}.",
            hint="Fill shorter sequences up with -1, or use a folder of .npz files, one per sample.",
        )
    return [tuple(int(value) for value in row if value >= 0) for row in truth.reshape(len(truth), -1)]


def _number_row(cell: Any, class_names: tuple[str, ...], place: str) -> Array:
    del class_names
    try:
        found = np.array([math.nan if isinstance(cell, bool) else float(cell)])
    except (TypeError, ValueError):
        found = np.array([math.nan])
    if not np.isfinite(found).all():
        raise InputError(f"{place}: the ground truth {str(cell)[:60]!r} is not a number.")
    return found


def _sequence(cell: Any, class_names: tuple[str, ...], place: str) -> tuple[int, ...]:
    del class_names
    entries = cell if isinstance(cell, list) else str(cell).split()
    try:
        return tuple(int(entry) for entry in entries)
    except (TypeError, ValueError) as error:
        raise InputError(f"{place}: {str(cell)[:60]!r} is not a sequence of whole numbers.") from error


def _as_it_stands(cell: Any, class_names: tuple[str, ...], place: str) -> Any:
    del class_names, place
    return cell


ROWS = Truth(LABEL_COLUMN, _number_row, array=_rows)
SEQUENCES = Truth(LABEL_COLUMN, _sequence, array=_sequences)


def own_truth(column: str, *, is_file: bool) -> Truth:
    """Ground truth for a metric of the user's own: whatever stands in the data."""
    return Truth(column or LABEL_COLUMN, _as_it_stands, is_file=is_file, array=lambda truth, _path: list(truth))
