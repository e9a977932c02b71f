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
    return samples, None if truth is None else _class_indices(truth, form.class_names, path)


def _bad_rows(array: np.ndarray[Any, Any]) -> str:
    bad = np.flatnonzero(~np.isfinite(array).reshape(array.shape[0], -1).all(axis=1))
    listing = ", ".join(str(row) for row in bad[:5].tolist())
    return f"{len(bad)} of {array.shape[0]} samples (the first: {listing})"


def _class_indices(truth: np.ndarray[Any, Any], class_names: tuple[str, ...], path: Path) -> list[int]:
    """Class indices of samples; yes and no, whole numbers with a point and a column of its own are taken too."""
    if truth.ndim == 2 and truth.shape[1] == 1:
        truth = truth[:, 0]
    if truth.dtype.kind == "f" and (truth == np.floor(truth)).all():
        truth = truth.astype(np.int64)
    if truth.ndim != 1 or truth.dtype.kind not in "iub":
        raise InputError(f"'{path}': the array '{LABEL_COLUMN}' must hold one class index a sample.")
    if truth.size and (truth.min() < 0 or (class_names and truth.max() >= len(class_names))):
        raise InputError(
            f"'{path}': the array '{LABEL_COLUMN}' has indices from {truth.min()} to {truth.max()}; "
            + (f"the model has {len(class_names)} labels." if class_names else "class indices begin at 0.")
        )
    return [int(index) for index in truth]
