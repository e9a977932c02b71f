"""Samples with or without labels, from the files that people have: tables, arrays, folders of files.

Which reader takes a file is decided by its ending, in `READERS`; adding a form is adding a function and a line there.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgewright_benchmarks.data._arrays import array_files, read_npz, read_npz_folder
from edgewright_benchmarks.data._coco import read_coco
from edgewright_benchmarks.data._folder import read_folder
from edgewright_benchmarks.data._lines import DataWarning, open_text
from edgewright_benchmarks.data._series import read_series
from edgewright_benchmarks.data._shards import PARQUET, find_stored
from edgewright_benchmarks.data._table import (
    MOST_ROWS,
    PATH_COLUMNS,
    drawn,
    file_of_cell,
    read_csv,
    read_jsonl,
    read_rows,
)
from edgewright_benchmarks.tasks import NO_FUNCTIONS, OwnFunctions, find_task
from edgewright_benchmarks.truth.ground_truth import ANY_INPUT, LABEL_COLUMN, WHOLE_ROWS, ArrayNames, Form, Truth
from edgewright_benchmarks.truth.keypoints import COCO_TRUTHS
from edgewright_benchmarks.truth.windows import Windows
from edgewright_runtime.samples import FILE_INPUTS, LATENT_INPUT, PLACE_INPUTS, ROW_INPUT, SERIES_INPUT, input_names
from edgewright_targets import InputError
from edgewright_targets.errors import first_few
from edgewright_targets.git_lfs import refuse_pointer

__all__ = [
    "LABEL_COLUMN",
    "METADATA_FILES",
    "MOST_ROWS",
    "PARQUET",
    "PATH_COLUMNS",
    "READERS",
    "ArrayNames",
    "DataWarning",
    "Dataset",
    "Draw",
    "Form",
    "Truth",
    "check_there",
    "data_digests",
    "file_of_cell",
    "open_text",
    "read_dataset",
    "read_rows",
]


@dataclass(frozen=True)
class Draw:
    """How some of the samples of a file were chosen; see `drawn`."""

    total: int
    count: int
    first: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Samples in the order of the file.

    Attributes:
        name: File name, without its folder.
        digest: SHA-256 of everything that was read, in hexadecimal: also of the files that samples are.
        samples: What the model takes; see `edgewright_runtime.samples`. Files are paths, read where they are used.
        labels: Ground truth of each sample, in the form of its task, or None for data without labels.
        table: SHA-256 of the data file alone, which is the same however many of its samples were read; `digest` where
            there is no such file.
        kept: What files of the samples live as long as, or None where they are the user's.
        draws: How the samples were chosen of those of the file, one draw after the other.
        ordered: They are in the order of time: what is set by some of them is judged by later ones.
    """

    name: str
    digest: str
    samples: tuple[Any, ...]
    labels: tuple[Any, ...] | None
    table: str = ""
    kept: object = field(default=None, repr=False, compare=False)
    draws: tuple[Draw, ...] = field(default=(), compare=False)
    ordered: bool = False

    def part(self, count: int, *, first: int = 0, seed: int = 0) -> Dataset:
        """At most `count` samples: the `first` ones, the others drawn, the same for the same seed."""
        if len(self.samples) <= count:
            return self
        chosen = drawn(len(self.samples), count, first=first, seed=seed)
        labels = None if self.labels is None else tuple(self.labels[index] for index in chosen)
        draws = (*self.draws, Draw(len(self.samples), count, first, seed))
        return replace(self, samples=tuple(self.samples[index] for index in chosen), labels=labels, draws=draws)

    def split(self, count: int, *, seed: int = 0) -> tuple[Dataset, Dataset]:
        """The samples that `part` draws, and the others, which count as other data from here on.

        Of samples in the order of time the last ones, and those before.
        """
        total = len(self.samples)
        if self.ordered:
            return self._between(total - count, total), self._between(0, total - count)
        chosen = set(drawn(total, count, seed=seed))
        others = [index for index in range(total) if index not in chosen]
        labels = None if self.labels is None else tuple(self.labels[index] for index in others)
        digest = hashlib.sha256(f"{self.digest} without {count} drawn by {seed}".encode()).hexdigest()
        samples = tuple(self.samples[index] for index in others)
        rest = replace(self, digest=digest, table=digest, samples=samples, labels=labels)
        return self.part(count, seed=seed), rest

    def _between(self, start: int, end: int) -> Dataset:
        digest = hashlib.sha256(f"{self.digest} from {start} to {end}".encode()).hexdigest()
        labels = None if self.labels is None else self.labels[start:end]
        return replace(self, digest=digest, table=digest, samples=self.samples[start:end], labels=labels)

    def spread(self, count: int, *, seed: int = 0) -> tuple[Any, ...]:
        """At most `count` samples drawn without replacement, the same for the same seed."""
        if len(self.samples) <= count:
            return self.samples
        chosen = np.random.default_rng(seed).permutation(len(self.samples))[:count]
        return tuple(self.samples[index] for index in sorted(chosen.tolist()))


def read_dataset(
    path: str | Path,
    *,
    task: str,
    input_name: str,
    class_names: tuple[str, ...] = (),
    most: int | None = None,
    arrays: ArrayNames | None = None,
    windows: Windows | None = None,
    own: OwnFunctions = NO_FUNCTIONS,
) -> Dataset:
    """Read a data file, or a folder of files.

        >>> from edgewright_benchmarks.data import read_dataset
        >>> names = ("HassTurnOn", "HassTurnOff")
        >>> data = read_dataset("lights.csv", task="text-classification", input_name="text", class_names=names)
        >>> data.samples, data.labels
        (('turn on the light', 'lights off'), (0, 1))

    Args:
        path: `.csv`, `.tsv` or `.jsonl` with a column for each input and, if labelled, one for the ground truth; a
            folder with a folder of files for each class, or with `metadata.csv` or `metadata.jsonl`, which is read
            instead;
            for masks, a folder `images` and a folder `masks` with files of the same names;
            for boxes and keypoints also COCO's `.json`, or a folder with `annotations.json`;
            `.parquet` with the columns of a table, a folder of such shards, or one that `datasets` wrote with
            `save_to_disk`; or `.npz` with one array an input, samples along the first axis, and, where labelled, an
            integer array `label`; or a folder of `.npz` files, one a sample, with arrays as the graph takes them.
            Of a series a table with a row for each step of time, or windows of one: a table or `.npz` with `series`
            and `target`.
        task: Determines the kind of ground truth: a class, a text, ...
        input_name: What the model takes, as its pipeline says it.
        class_names: Allowed labels, by index.
        arrays: The inputs of a model that takes named arrays, as far as they are known.
        windows: How a series is cut, for a model that takes one.
        own: Functions of the user's own. With one that prepares samples, data for named arrays may also be a table,
            whose rows it takes as a dict of columns, or a folder of files.
        most: Of a table of text, keep so many rows only: those that `Dataset.part` would take of all.

    Raises:
        InputError: The file is missing, empty, in another form or encoding, lacks a column, or has unknown labels.
    """
    path = Path(path)
    name = path.name
    truth = find_task(task, own).truth
    form = Form(input_names(input_name), truth, class_names, most, None if own.pre else arrays, windows=windows)
    if own.pre and not form.names and path.suffix.lower() != ".npz" and not (path.is_dir() and array_files(path)):
        form = replace(form, names=(ANY_INPUT,))
    tables = (*METADATA_FILES, *(COCO_FILES if form.truth in COCO_TRUTHS else ()))
    path = next((path / table for table in tables if path.is_dir() and (path / table).is_file()), path)
    kept: object = None
    if path.is_file():
        refuse_pointer(path)
    try:
        stored = find_stored(path) if form.names and not set(form.names) & {*WHOLE_ROWS, SERIES_INPUT} else None
        if stored is not None:
            samples, labels, kept = stored.read(form)
        else:
            samples, labels = _reader(path, form)(path, form)
        files = stored.files if stored else [path] if path.is_file() else [] if form.names else array_files(path)
        digest, table = data_digests(files, samples, [label for label in labels or () if isinstance(label, Path)])
        if form.names == (SERIES_INPUT,) and windows is not None:
            digest = hashlib.sha256(f"{digest} {windows.key}".encode()).hexdigest()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error}.") from error
    if not samples:
        raise InputError(f"'{path}' has no samples.")
    if own.pre:
        samples, digest = own.prepared(samples, input_name, f"'{path}'"), own.digest(digest)
        _check_names(samples[0], arrays, own, path)
    if labels and form.truth.whole is not None and (problem := form.truth.whole(labels, f"'{path}'")):
        warnings.warn(DataWarning(problem), stacklevel=2)
    return Dataset(
        name=name,
        digest=digest,
        samples=tuple(samples),
        labels=None if labels is None else tuple(labels),
        table=table,
        kept=kept,
        ordered=form.names == (SERIES_INPUT,),
    )


def _check_names(sample: Any, arrays: ArrayNames | None, own: OwnFunctions, path: Path) -> None:
    """Raise where prepared arrays are not the inputs of the model."""
    if arrays is None:
        return
    wrong = [name for name in sample if name not in (*arrays.needed, *arrays.optional)]
    missing = [name for name in arrays.needed if name not in sample]
    if wrong or missing:
        raise InputError(
            f"'{path}': '{own.pre}' returned the arrays {first_few(sample)}.",
            hint=f"The inputs of the model are {first_few((*arrays.needed, *arrays.optional))}.",
        )


def check_there(path: str | Path | None) -> None:
    """Raise where a data file is missing, whatever model it is for. A split has no file of its name, and is let be.

    Raises:
        InputError: It is missing.
    """
    if path is None or Path(path).suffix.lower() not in (*READERS, PARQUET):
        return
    if not Path(path).exists():
        raise InputError(f"There is no data file '{path}'.")
    # A pipe would be waited for, and a device has no end.
    if not Path(path).is_file() and not Path(path).is_dir():
        raise InputError(f"'{path}' is not a plain file.", hint="Write the data into a file first.")


# Bytes that are read at once for a digest.
_PIECE = 1 << 20
# A folder with one of these is what it says, as for the folder loaders of Hugging Face's `datasets`.
METADATA_FILES = ("metadata.csv", "metadata.jsonl")
# What exporters call COCO's file where it lies among its pictures.
COCO_FILES = ("annotations.json", "_annotations.coco.json")
Reader = Callable[[Path, Form], tuple[list[Any], list[Any] | None]]
READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".jsonl": read_jsonl,
    ".json": read_coco,
    ".npz": read_npz,
}


# Inputs whose data has other forms than tables of all kinds: endings, and what messages call them.
_OTHER_FORMS: dict[tuple[str, ...], tuple[tuple[str, ...], str]] = {
    (ANY_INPUT,): ((".csv", ".tsv", ".jsonl", ".npz"), "what --pre takes: a .csv, .jsonl or .npz file, or a folder"),
    (ROW_INPUT,): ((".csv", ".tsv", ".jsonl"), "a .csv or .jsonl file"),
    (SERIES_INPUT,): ((".csv", ".tsv", ".jsonl", ".npz"), "a series as .csv, or windows as .csv, .jsonl or .npz"),
}


def _forms(form: Form) -> tuple[Sequence[str], str]:
    """The endings of the files that a model takes, and what messages call such files."""
    if form.names in _OTHER_FORMS:
        return _OTHER_FORMS[form.names]
    wanted = [suffix for suffix in (*READERS, PARQUET) if (suffix == ".npz") == (not form.names)]
    tables = ".csv, .jsonl or .parquet"
    if form.truth in COCO_TRUTHS:
        tables = "COCO's .json, .csv, .jsonl or .parquet"
    else:
        wanted = [suffix for suffix in wanted if suffix != ".json"]
    if form.names == (LATENT_INPUT,):
        # Seeds are a column, latents are arrays.
        return [*wanted, ".npz"], "a .csv or .jsonl file of seeds, or an .npz file of latents"
    return wanted, f"a {tables if form.names else '.npz'} file"


def _reader(path: Path, form: Form) -> Reader:
    wanted, listing = _forms(form)
    takes = " and ".join(form.names) or "named arrays"
    if path.is_dir():
        if not form.names:
            return read_npz_folder
        needed = [name for name in form.names if name not in PLACE_INPUTS]
        if len(needed) == 1 and needed[0] in (*FILE_INPUTS, ANY_INPUT):
            return read_folder
        raise InputError(
            f"'{path}' is a folder; expected a data file, as this model takes {takes}.",
            hint=f"This model takes {listing}.",
        )
    if path.suffix.lower() not in (*READERS, PARQUET):
        raise InputError(f"'{path}': unknown kind of data file.", hint=f"This model takes {listing}.")
    if path.suffix.lower() not in wanted:
        raise InputError(f"'{path}': this model takes {takes}, so its data is {listing}.")
    check_there(path)
    return read_series if form.names == (SERIES_INPUT,) else READERS[path.suffix.lower()]


def data_digests(files: Sequence[Path], samples: Sequence[Any], truth: Sequence[Path]) -> tuple[str, str]:
    """SHA-256 of everything that was read, and of the `files` alone.

    Args:
        files: Those that name the samples.
        samples: Files among them, or among their named parts, are read.
        truth: Files of ground truth.
    """
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as whole:
            if len(files) > 1:
                digest.update(hashlib.file_digest(whole, "sha256").digest())
                continue
            while piece := whole.read(_PIECE):
                digest.update(piece)
    table = digest.hexdigest() if files else ""
    for sample in (*samples, *truth):
        for part in sample.values() if isinstance(sample, dict) else (sample,):
            if isinstance(part, Path):
                # The class of a file is in its path where the data is a folder.
                digest.update(part.parent.name.encode() + b"/" + part.name.encode())
                for found in sorted(part.iterdir()) if part.is_dir() else [part]:
                    with found.open("rb") as file:
                        digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest(), table or digest.hexdigest()
