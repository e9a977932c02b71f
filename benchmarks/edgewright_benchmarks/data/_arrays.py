"""`.npz` files of named arrays: one array an input, samples along the first axis; or a folder of them, one a sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgewright_benchmarks.truth.ground_truth import LABEL_COLUMN, Form
from edgewright_runtime.arrays import read_arrays
from edgewright_targets import InputError, nearest
from edgewright_targets.errors import first_few

Array = np.ndarray[Any, Any]


def read_npz(path: Path, form: Form) -> tuple[list[Any], list[Any] | None]:
    """Samples and their ground truth, as `read_dataset` gives them."""
    arrays = _inputs(path, form)
    truth = arrays.pop(LABEL_COLUMN, None)
    for name, array in arrays.items():
        if array.ndim == 0:
            raise InputError(f"'{path}': the array '{name}' is a single value; samples lie along its first axis.")
    _refuse_odd(path, arrays)
    counts = {name: array.shape[0] for name, array in arrays.items()}
    if truth is not None:
        counts[LABEL_COLUMN] = truth.shape[0] if truth.ndim else 0
    if len(set(counts.values())) != 1:
        raise InputError(
            f"'{path}': the arrays have different numbers of samples: {counts}.",
            hint="For samples of different lengths, use a folder of .npz files, one per sample.",
        )
    total = next(iter(counts.values()))
    samples = [{name: array[i : i + 1] for name, array in arrays.items()} for i in range(total)]
    return samples, None if truth is None else _right(truth, form, path)


def array_files(folder: Path) -> list[Path]:
    """The `.npz` files in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".npz" and path.name[0] != ".")


def read_npz_folder(folder: Path, form: Form) -> tuple[list[Any], list[Any] | None]:
    """A sample from each file, its arrays as the graph takes them, and its ground truth; see `read_dataset`."""
    files = array_files(folder)
    if not files:
        raise InputError(
            f"'{folder}' has no .npz files.",
            hint="This model takes named arrays: an .npz file, or a folder of .npz files, one per sample.",
        )
    samples: list[dict[str, Array]] = []
    labels: list[Any] = []
    for path in files:
        arrays = _inputs(path, form)
        truth = arrays.pop(LABEL_COLUMN, None)
        _refuse_odd(path, arrays, rows=False)
        if truth is not None:
            # Of one sample: a number, or a row of which labels hold.
            labels += _right(truth.reshape(1, -1), form, path)
        samples.append(arrays)
        if labels and len(labels) != len(samples):
            raise InputError(f"'{folder}': some of the files have an array '{LABEL_COLUMN}', others do not.")
    return samples, labels or None


def _inputs(path: Path, form: Form) -> dict[str, Array]:
    """All arrays of a file, which are inputs and ground truth.

    Raises:
        InputError: Others are among them, or an input is missing.
    """
    arrays = dict(read_arrays(path))
    if set(arrays) <= {LABEL_COLUMN}:
        raise InputError(f"'{path}' holds no input arrays.")
    if form.arrays is None:
        return arrays
    known = (*form.arrays.needed, *form.arrays.optional)
    takes = f"The inputs of the model are {_quoted(known)}, and the ground truth is '{LABEL_COLUMN}'."
    unknown = [name for name in arrays if name not in (*known, LABEL_COLUMN)]
    missing = [name for name in form.arrays.needed if name not in arrays]
    if constant := [name for name in unknown if name in form.arrays.constant]:
        takes = f"In the graph {_quoted(constant)} is a weight, not an input. {takes}"
    if missing:
        also = f" It holds {_quoted(unknown)}, which the model does not take." if unknown else ""
        raise InputError(f"'{path}' lacks the input {_quoted(missing)}.{also}", hint=takes)
    if unknown:
        guess = nearest(unknown[0], (*known, LABEL_COLUMN))
        hint = f"{takes} {guess}" if guess.startswith("Did you mean") else takes
        raise InputError(
            f"'{path}' holds {_quoted(unknown)}, which is neither an input nor the ground truth.",
            hint=f"{hint} Leave out arrays that the model does not take.",
        )
    return arrays


def _quoted(names: Any) -> str:
    return first_few([f"'{name}'" for name in names])


def _refuse_odd(path: Path, arrays: Mapping[str, Array], *, rows: bool = True) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            where = f" in {_bad_rows(array)}" if rows else ""
            raise InputError(
                f"'{path}': the array '{name}' has NaN or infinite values{where}.",
                hint="Ranges and predictions from such values are meaningless. Remove these samples.",
            )


def _bad_rows(array: Array) -> str:
    bad = np.flatnonzero(~np.isfinite(array).reshape(array.shape[0], -1).all(axis=1))
    listing = ", ".join(str(row) for row in bad[:5].tolist())
    return f"{len(bad)} of {array.shape[0]} samples (the first: {listing})"


def _right(truth: Array, form: Form, path: Path) -> list[Any]:
    """Ground truth of each sample: a class index, a number if it is a float, or the indices of several labels.

    A column of its own is taken as well; several columns of 0 and 1 say which labels hold. A metric may read it
    otherwise, see `Truth.array`.
    """
    class_names = form.class_names
    if form.truth.array is not None:
        return form.truth.array(truth, path)
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
            + (f"the model has {len(class_names)} labels." if class_names else "class indices start at 0."),
            hint="If the numbers are not class indices, save them as floats.",
        )
    return [int(index) for index in truth]


def _several(truth: Array, path: Path) -> list[tuple[int, ...]]:
    if not np.isin(truth, (0, 1)).all():
        raise InputError(
            f"'{path}': the array '{LABEL_COLUMN}' has {truth.shape[1]} columns with other values than 0 and 1.",
            hint="Several columns say which labels apply to a sample. A class index or a number takes one column.",
        )
    return [tuple(np.flatnonzero(row).tolist()) for row in truth]
