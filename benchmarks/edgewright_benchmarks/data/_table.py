"""Tables: one row per sample, one column per input, and one for the ground truth. CSV with a header, or JSON Lines."""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgewright_benchmarks.data._lines import DataWarning, how_read, lines, open_text, separated_rows, warn_of_indices
from edgewright_benchmarks.data._places import place_of_cell
from edgewright_benchmarks.truth.ground_truth import ANY_INPUT, CLASS, TAGS, WHOLE_ROWS, Form, is_class_index
from edgewright_runtime.errors import SampleError
from edgewright_runtime.samples import FILE_INPUTS, JSON_INPUTS, LIST_INPUTS, PLACE_INPUTS, ROW_INPUT
from edgewright_runtime.steps.text.document import boxes_of, words_of
from edgewright_runtime.steps.text.length import TEXT_LIMIT
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

# A column of paths may also be called what it holds; the second is the word of Hugging Face's folder loaders.
PATH_COLUMNS = ("path", "file_name")
# What a message shows of a header: columns, and characters of each.
_COLUMNS_SHOWN, _NAME_SHOWN = 20, 60
# Of a table that is read whole: rows, of which ten thousand decide about a point of accuracy, and characters of texts.
MOST_ROWS = 1_000_000
MOST_CHARACTERS = 2**30


def read_csv(path: Path, form: Form) -> tuple[list[Any], list[Any] | None]:
    """Samples and their ground truth, as `read_dataset` gives them."""
    with open_text(path) as file, _csv_errors(path) as read:
        rows, header, separator = separated_rows(path, file, _columns_read(form))
        read.append(rows)
        if unusual := how_read(path, separator):
            warnings.warn(DataWarning(unusual), stacklevel=2)
        _refuse_repeated(path, _columns_read(form), header)
        wanted = _wanted(form, lambda: _count_rows(path, form))
        return samples_of_rows(path, form, header, _cells(path, rows, header), wanted)


@contextlib.contextmanager
def _csv_errors(path: Path) -> Iterator[list[Any]]:
    """For a block that reads a table: errors of its form as those of an input, with the line where its reader is.

    Yields:
        Where the block puts the reader; errors before that are of the header.

    Raises:
        InputError: It is not valid CSV.
    """
    read: list[Any] = []
    try:
        yield read
    except csv.Error as error:
        line = read[0].line_num if read else 1
        raise InputError(f"'{path}', line {line}: not valid CSV: {error}.") from error


def read_jsonl(path: Path, form: Form) -> tuple[list[Any], list[Any] | None]:
    """Samples and their ground truth, as `read_dataset` gives them."""
    with open_text(path, newline="\n") as file:
        rows = _objects(path, lines(path, file))
        first = next(rows, None)
        if first is None:
            return samples_of_rows(path, form, [], rows)
        if unusual := how_read(path, ","):
            warnings.warn(DataWarning(unusual), stacklevel=2)
        wanted = _wanted(form, lambda: _count_lines(path))
        return samples_of_rows(path, form, list(first[1]), itertools.chain([first], rows), wanted)


def read_rows(path: Path, wanted: Sequence[str]) -> tuple[list[str], list[tuple[str, dict[str, object]]]]:
    """The columns of a table, and its rows with their places for messages, whatever the cells are.

    Args:
        path: `.csv`, `.tsv` or `.jsonl`.
        wanted: The columns that matter: by them the separator of a table is told.

    Raises:
        InputError: It is not a table, has two of these columns of one name, or more rows than are kept in memory.
    """
    if path.suffix.lower() == ".jsonl":
        with open_text(path, newline="\n") as file:
            rows = list(itertools.islice(_objects(path, lines(path, file)), MOST_ROWS + 1))
        header = list(rows[0][1]) if rows else []
    else:
        with open_text(path) as file, _csv_errors(path) as read:
            reader, header, separator = separated_rows(path, file, wanted)
            read.append(reader)
            if unusual := how_read(path, separator):
                warnings.warn(DataWarning(unusual), stacklevel=2)
            _refuse_repeated(path, wanted, header)
            rows = list(itertools.islice(_cells(path, reader, header), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise too_large(path, f"more than {MOST_ROWS:,} rows")
    return header, rows


def _wanted(form: Form, count: Callable[[], int]) -> frozenset[int] | None:
    """Numbers of the rows to keep, or None for all: those that `drawn` gives, found before any row is kept."""
    if form.most is None:
        return None
    total = count()
    return None if total <= form.most else frozenset(drawn(total, form.most))


def drawn(total: int, count: int, *, first: int = 0, seed: int = 0) -> list[int]:
    """Numbers of `count` of `total` samples: the `first` ones, the others drawn, the same for the same seed."""
    others = np.random.default_rng(seed).permutation(np.arange(first, total))[: count - first]
    return [*range(first), *sorted(others.tolist())]


def _count_rows(path: Path, form: Form) -> int:
    # A reader of its own, so an error has its own line.
    with open_text(path) as file, _csv_errors(path) as read:
        rows, _, _ = separated_rows(path, file, _columns_read(form))
        read.append(rows)
        return sum(1 for row in rows if row)


def _count_lines(path: Path) -> int:
    with open_text(path, newline="\n") as file:
        return sum(1 for line in lines(path, file) if line.strip())


def _columns_read(form: Form) -> tuple[str, ...]:
    names = tuple(name for name in form.names if name not in WHOLE_ROWS)
    return (*names, form.truth.column, *(PATH_COLUMNS if set(FILE_INPUTS) & set(names) else ()))


def _refuse_repeated(path: Path, read: Sequence[str], header: list[str]) -> None:
    repeated = next((name for name in header if name in read and header.count(name) > 1), None)
    if repeated is not None:
        raise InputError(
            f"'{path}' has {header.count(repeated)} columns named '{repeated}'.",
            hint="Rename or remove the others.",
        )


def _cells(path: Path, rows: Any, header: list[str]) -> Iterator[tuple[str, dict[str, object]]]:
    for row in rows:
        if not row:
            continue
        place = f"'{path}', line {rows.line_num}"
        if len(row) != len(header):
            raise InputError(f"{place}: {len(row)} cells; the header has {len(header)}.")
        yield place, dict(zip(header, row, strict=True))


def _objects(path: Path, file: Iterable[str]) -> Iterator[tuple[str, dict[str, object]]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        place = f"'{path}', line {number}"
        try:
            row = json.loads(line, object_pairs_hook=_named_once)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{place}: not valid JSON: {error}.") from error
        if not isinstance(row, dict):
            raise InputError(f"{place}: expected a JSON object.")
        yield place, row


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key '{twice}' appears {names.count(twice)} times")
    return row


def samples_of_rows(
    path: Path,
    form: Form,
    header: list[str],
    rows: Iterator[tuple[str, dict[str, object]]],
    wanted: Collection[int] | None = None,
) -> tuple[list[Any], list[Any] | None]:
    """Samples and their ground truth, of rows with their places for messages; `header` names the columns.

    Of the rows, only those whose numbers are `wanted` are kept; None is all.

    Raises:
        InputError: A row is wrong, or a table of more rows than are kept in memory is wanted whole.
    """
    columns = columns_of(path, form, header)
    # A table that pandas wrote may have a column without a name.
    labelled = bool(form.truth.column) and form.truth.column in header
    if form.truth.column and not labelled:
        _refuse_other_case(path, header, form.truth.column)
    numbered = False
    characters = 0
    samples: list[Any] = []
    labels: list[Any] = []
    for place, row in _kept(path, form, rows, wanted):
        values = _values(path, form, columns, row, place)
        # A file of some kilobytes can say one long text a million times.
        characters += sum(len(value) for value in values.values() if isinstance(value, str))
        if characters > MOST_CHARACTERS:
            raise too_large(path, f"more than {MOST_CHARACTERS:,} characters")
        samples.append(values if columns == {} or len(values) > 1 else next(iter(values.values())))
        if not labelled and form.truth.column in row:
            raise InputError(f"{place}: '{form.truth.column}' is present, but the first line does not have it.")
        if labelled:
            if form.truth.column not in row:
                raise InputError(f"{place}: '{form.truth.column}' is missing, but other lines have it.")
            cell = row[form.truth.column]
            if form.truth.is_file:
                cell = file_of_cell(path, form.truth.column, cell, place)
            labels.append(form.truth.read(cell, form.class_names, place))
            if form.truth.check is not None:
                form.truth.check(samples[-1], labels[-1], place)
            numbered = numbered or (form.truth in (CLASS, TAGS) and is_class_index(cell, form.class_names))
    if numbered:
        warn_of_indices(f"'{path}': the column '{form.truth.column}' holds", form.class_names)
    return samples, labels if labelled else None


def _values(path: Path, form: Form, columns: dict[str, str], row: dict[str, object], place: str) -> dict[str, object]:
    """The inputs of a row, or all of its columns where a function of the user's takes them."""
    if ROW_INPUT in form.names:
        return {name: cell for name, cell in row.items() if name != form.truth.column}
    if ANY_INPUT in form.names:
        return {name: _any(path, name, cell, place) for name, cell in row.items() if name != form.truth.column}
    found = {name: _value(path, name, row.get(column), place) for name, column in columns.items()}
    return {name: value for name, value in found.items() if value is not None}


def _kept(
    path: Path, form: Form, rows: Iterator[tuple[str, dict[str, object]]], wanted: Collection[int] | None
) -> Iterator[tuple[str, dict[str, object]]]:
    for number, row in enumerate(rows):
        if number == MOST_ROWS and form.most is None:
            raise too_large(path, f"more than {MOST_ROWS:,} rows")
        if wanted is None or number in wanted:
            yield row


def too_large(path: Path, what: str) -> InputError:
    """That a table has more than is kept in memory."""
    return InputError(
        f"'{path}' has {what}, too many to keep in memory.",
        hint="Choose a number of samples with --samples, or pass a part of the table.",
    )


def _refuse_other_case(path: Path, header: list[str], name: str) -> None:
    """Refuse a column that is nearly that of the ground truth: the data would be taken for unlabelled in silence."""
    # One of several labels is easily written for the other.
    alike = (name.casefold(), name.casefold().removesuffix("s"), f"{name.casefold()}s")
    found = next((column for column in header if column.strip().casefold() in alike), None)
    if found is not None:
        raise InputError(
            f"'{path}' has a column '{found}', but the ground truth is read from '{name}'.",
            hint=f"Rename it to '{name}', or to another name if it is not the ground truth.",
        )


def columns_of(path: Path, form: Form, header: list[str]) -> dict[str, str]:
    """The column that holds each input; places in a picture may have none.

    Raises:
        InputError: There is no column of another input.
    """
    there = (name for name in form.names if name not in PLACE_INPUTS or name in header)
    return {name: column_of(path, form, header, name) for name in there if name not in WHOLE_ROWS}


def column_of(path: Path, form: Form, header: list[str], name: str) -> str:
    """The column that holds an input.

    Raises:
        InputError: There is no such column.
    """
    if name in header:
        return name
    if name in FILE_INPUTS and (found := [column for column in PATH_COLUMNS if column in header]):
        return found[0]
    near = next((column for column in header if column.strip().casefold() == name.casefold()), None)
    listing = f"its columns are: {_listed(header)}" if any(header) else "it is empty"
    example = ",".join((*form.names, form.truth.column))
    raise InputError(
        f"'{path}' has no column '{name}'; {listing}.",
        hint=f"Did you mean '{near}'? Rename that column to '{name}'."
        if near is not None
        else f"Name the columns as the model's inputs, for example: {example}",
    )


def _listed(header: list[str]) -> str:
    """The first columns, each cut off where it is long: a header may have a million of them."""
    names = (name if len(name) <= _NAME_SHOWN else f"{name[:_NAME_SHOWN]}..." for name in header)
    return first_few(names, shown=_COLUMNS_SHOWN)


def _value(path: Path, name: str, cell: Any, place: str) -> Any:
    if name in FILE_INPUTS or isinstance(cell, Path):
        return file_of_cell(path, name, cell, place)
    if name in LIST_INPUTS:
        return _texts(name, cell, place)
    if name in PLACE_INPUTS:
        return place_of_cell(name, cell, place)
    if name in JSON_INPUTS:
        return _list(name, cell, place)
    if not isinstance(cell, str) or not cell.strip():
        raise InputError(f"{place}: the {name} is empty.")
    return cell


def _any(path: Path, name: str, cell: object, place: str) -> object:
    """A cell as it stands; of a column that is called as one of files, the file."""
    return file_of_cell(path, name, cell, place) if name in (*FILE_INPUTS, *PATH_COLUMNS) else cell


def _texts(name: str, cell: Any, place: str) -> list[str]:
    try:
        found = json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not found or not all(isinstance(text, str) and text.strip() for text in found):
        raise InputError(
            f"{place}: the {name} must be a list of non-empty texts.",
            hint='Write a JSON list: ["a text", "another"].',
        )
    return found


def _list(name: str, cell: Any, place: str) -> list[object]:
    try:
        found = json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        found = None
    if hasattr(found, "tolist"):
        found = found.tolist()
    try:
        if name == "boxes":
            boxes_of(found)
        else:
            words_of(found, TEXT_LIMIT)
    except SampleError as error:
        raise InputError(f"{place}: {error.message}", hint=error.hint or "Write them as a list of JSON.") from error
    return list(found)


def file_of_cell(path: Path, name: str, cell: Any, place: str) -> Path:
    """The file that a cell of the table at `path` names; `name` is what messages call it.

    Raises:
        InputError: The cell does not name a file, or it is not there.
    """
    if isinstance(cell, Path):
        return cell
    if not isinstance(cell, str) or not cell.strip():
        found = "empty" if cell is None or isinstance(cell, str) else f"{type(cell).__name__}, not a path"
        raise InputError(f"{place}: the {name} is {found}.")
    # Relative names are meant from where the table lies, wherever the command runs.
    file = path.parent / cell.strip()
    if not file.is_file() and not (name == "video" and file.is_dir()):
        raise InputError(f"{place}: there is no file '{cell.strip()}'.", hint=f"Searched at '{file}'.")
    return file
