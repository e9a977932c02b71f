"""`.npz` files of named arrays: one array an input, samples along the first axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgewright_benchmarks.truth import LABEL_COLUMN, Form
from edgewright_runtime.arrays import read_arrays
from edgewright_targets import InputError


def read_npz(path: Path, form: Form) -> tuple[list[Any], list[Any] | None]:
    """Samples and what is right; see `read_dataset`."""
    arrays = read_arrays(path)
    truth = arrays.pop(LABEL_COLUMN, None)
    if not arrays:
        raise InputError(f"'{path}' holds no input arrays.")
    for name, array in arrays.items():
        if array.ndim == 0:
            raise InputError(f"'{path}': the array '{name}' is a single value; samples lie along its first axis.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(
                f"'{path}': the array '{name}' has NaN or infinite values in {_bad_rows(array)}.",
                hint="Ranges and answers made from such values mean nothing; remove these samples.",
            )
    counts = {name: array.shape[0] for name, array in arrays.items()}
    if truth is not None:
        counts[LABEL_COLUMN] = truth.shape[0] if truth.ndim else 0
    if len(set(counts.values())) != 1:
        raise InputError(f"'{path}': the arrays have different numbers of samples: {counts}.")
    total = next(iter(counts.values()))
    samples = [{name: array[i : i + 1] for name, array in arrays.items()} for i in range(total)]
    return samples, None if truth is None else _right(truth, form.class_names, path)


def _bad_rows(array: np.ndarray[Any, Any]) -> str:
    bad = np.flatnonzero(~np.isfinite(array).reshape(array.shape[0], -1).all(axis=1))
    listing = ", ".join(str(row) for row in bad[:5].tolist())
    return f"{len(bad)} of {array.shape[0]} samples (the first: {listing})"


def _right(truth: np.ndarray[Any, Any], class_names: tuple[str, ...], path: Path) -> list[Any]:
    """What is right for each sample: a class index, a number where it has a point, or the indices of several labels.

    A column of its own is taken as well; several columns of 0 and 1 say which labels hold.
    """
    if truth.ndim == 2 and truth.shape[1] == 1:
        truth = truth[:, 0]
    if truth.dtype.kind not in "iufb" or truth.ndim not in (1, 2):
        raise InputError(
            f"'{path}': the array '{LABEL_COLUMN}' must hold a class index or a number for each sample, or a 0 or 1 "
            f"for each of its labels; it is {truth.dtype} of shape {list(truth.shape)}."
        )
    if truth.ndim == 2:
        return _several(truth, path)
    if truth.dtype.kind == "f":
        if not np.isfinite(truth).all():
            raise InputError(f"'{path}': the array '{LABEL_COLUMN}' has NaN or infinite values in {_bad_rows(truth)}.")
        return [float(number) for number in truth]
    if truth.size and (truth.min() < 0 or (class_names and truth.max() >= len(class_names))):
        raise InputError(
            f"'{path}': the array '{LABEL_COLUMN}' has indices from {truth.min()} to {truth.max()}; "
            + (f"the model has {len(class_names)} labels." if class_names else "class indices begin at 0."),
            hint="Numbers that are no classes have a point: save them as floats.",
        )
    return [int(index) for index in truth]


def _several(truth: np.ndarray[Any, Any], path: Path) -> list[tuple[int, ...]]:
    if not np.isin(truth, (0, 1)).all():
        raise InputError(
            f"'{path}': the array '{LABEL_COLUMN}' has {truth.shape[1]} columns with other values than 0 and 1.",
            hint="Several columns say which labels hold; a class index or a number is one column.",
        )
    return [tuple(np.flatnonzero(row).tolist()) for row in truth]
