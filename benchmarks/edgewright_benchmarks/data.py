"""Samples with or without labels, from the files that people have: CSV with a header, or `.npz` of named arrays.

Which reader takes a file is decided by its ending, in `READERS`; adding a form is adding a function and a line there.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgewright_runtime.arrays import read_arrays
from edgewright_targets import InputError, nearest

TEXT_COLUMN = "text"
LABEL_COLUMN = "label"


@dataclass(frozen=True)
class Dataset:
    """Samples in the order of the file.

    Attributes:
        name: File name, without its folder.
        digest: SHA-256 of the file, in hexadecimal.
        samples: Texts, or dicts of named arrays with a first axis of 1.
        labels: Class index of each sample, or None where the file has no labels.
    """

    name: str
    digest: str
    samples: tuple[Any, ...]
    labels: tuple[int, ...] | None

    def part(self, count: int, *, first: int = 0, seed: int = 0) -> Dataset:
        """At most `count` samples: the `first` ones, the others drawn, the same for the same seed."""
        if len(self.samples) <= count:
            return self
        drawn = np.random.default_rng(seed).permutation(np.arange(first, len(self.samples)))[: count - first]
        chosen = [*range(first), *sorted(drawn.tolist())]
        labels = None if self.labels is None else tuple(self.labels[index] for index in chosen)
        return Dataset(self.name, self.digest, tuple(self.samples[index] for index in chosen), labels)

    def spread(self, count: int, *, seed: int = 0) -> tuple[Any, ...]:
        """At most `count` samples drawn without replacement, the same for the same seed."""
        if len(self.samples) <= count:
            return self.samples
        chosen = np.random.default_rng(seed).permutation(len(self.samples))[:count]
        return tuple(self.samples[index] for index in sorted(chosen.tolist()))


def read_dataset(path: str | Path, *, input_name: str, class_names: tuple[str, ...] = ()) -> Dataset:
    """Read a data file.

    Args:
        path: `.csv` with the columns `text` and, where labelled, `label`; or `.npz` with one array an input, samples
            along the first axis, and, where labelled, an integer array `label`.
        input_name: What the model takes: `text`, or `*` for named arrays.
        class_names: Allowed labels, by index.

    Raises:
        InputError: The file is missing, empty, in another form or encoding, lacks a column, or has unknown labels.
    """
    path = Path(path)
    wanted = ".npz" if input_name == "*" else ".csv"
    if path.suffix.lower() not in READERS:
        raise InputError(f"'{path}': unknown kind of data file.", hint=f"This model takes a {wanted} file.")
    if path.suffix.lower() != wanted:
        takes = "named arrays" if input_name == "*" else "text"
        raise InputError(f"'{path}': this model takes {takes}, so its data is a {wanted} file.")
    if path.is_dir():
        raise InputError(f"'{path}' is a folder; data is a file.")
    if not path.is_file():
        raise InputError(f"There is no data file '{path}'.")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error}.") from error
    samples, labels = READERS[path.suffix.lower()](path, class_names)
    if not samples:
        raise InputError(f"'{path}' has no samples.")
    return Dataset(
        path.name, hashlib.sha256(raw).hexdigest(), tuple(samples), None if labels is None else tuple(labels)
    )


def _read_csv(path: Path, class_names: tuple[str, ...]) -> tuple[list[Any], list[int] | None]:
    try:
        # Spreadsheets put a byte order mark in front; utf-8-sig takes files with and without it.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"'{path}' is not UTF-8: byte {error.start} cannot be decoded.",
            hint=f"Save it as UTF-8, for example with: iconv -f latin1 -t utf-8 {path.name} -o {path.stem}-utf8.csv",
        ) from error
    # strict: an unbalanced quote would otherwise swallow the rest of the file into one cell.
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if TEXT_COLUMN not in header:
            found = f"its columns are: {', '.join(header)}" if any(header) else "it is empty"
            raise InputError(
                f"'{path}' has no column '{TEXT_COLUMN}'; {found}.",
                hint=f"The first line must name the columns, such as: {TEXT_COLUMN},{LABEL_COLUMN}",
            )
        labelled = LABEL_COLUMN in header
        samples: list[Any] = []
        labels: list[int] = []
        for row in rows:
            if not row:
                continue
            place = f"'{path}', line {rows.line_num}"
            if len(row) != len(header):
                raise InputError(f"{place}: {len(row)} cells; the header has {len(header)}.")
            cells = dict(zip(header, row, strict=True))
            if not cells[TEXT_COLUMN].strip():
                raise InputError(f"{place}: the text is empty.")
            samples.append(cells[TEXT_COLUMN])
            if labelled:
                labels.append(_class_index(cells[LABEL_COLUMN].strip(), class_names, place))
    except csv.Error as error:
        raise InputError(f"'{path}', line {rows.line_num}: not valid CSV: {error}.") from error
    return samples, labels if labelled else None


def _class_index(label: str, class_names: tuple[str, ...], place: str) -> int:
    if label in class_names:
        return class_names.index(label)
    if not class_names:
        raise InputError(f"{place}: the data is labelled, and the model has no labels to compare with.")
    listing = nearest(label, class_names) if len(class_names) <= 60 else f"The model has {len(class_names)} labels."
    raise InputError(f"{place}: unknown label '{label}'.", hint=listing)


def _read_npz(path: Path, class_names: tuple[str, ...]) -> tuple[list[Any], list[int] | None]:
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
    return samples, None if truth is None else _class_indices(truth, class_names, path)


def _bad_rows(array: np.ndarray[Any, Any]) -> str:
    bad = np.flatnonzero(~np.isfinite(array).reshape(array.shape[0], -1).all(axis=1))
    listing = ", ".join(str(row) for row in bad[:5].tolist())
    return f"{len(bad)} of {array.shape[0]} samples (the first: {listing})"


def _class_indices(truth: np.ndarray[Any, Any], class_names: tuple[str, ...], path: Path) -> list[int]:
    if truth.ndim != 1 or truth.dtype.kind not in "iu":
        raise InputError(f"'{path}': the array '{LABEL_COLUMN}' must hold one class index a sample.")
    if truth.size and (truth.min() < 0 or (class_names and truth.max() >= len(class_names))):
        raise InputError(
            f"'{path}': the array '{LABEL_COLUMN}' has indices from {truth.min()} to {truth.max()}; "
            f"the model has {len(class_names)} labels."
        )
    return [int(index) for index in truth]


READERS: dict[str, Callable[[Path, tuple[str, ...]], tuple[list[Any], list[int] | None]]] = {
    ".csv": _read_csv,
    ".npz": _read_npz,
}
