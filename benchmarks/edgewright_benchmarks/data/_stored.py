"""Parquet files and the folders of Hugging Face's `datasets`: what `save_to_disk` writes, and shards as on its hub.

Rows come in small batches. Pictures and sounds in them are put into files aside one by one, so that a data set larger
than memory is read like a folder of files; the folder aside goes with the data set.
"""

from __future__ import annotations

import bisect
import contextlib
import re
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.data._arrow import Parquet, Saved, Table
from edgewright_benchmarks.data._table import MOST_CHARACTERS, columns_of, drawn, samples_of_rows, too_large
from edgewright_benchmarks.truth.ground_truth import Form
from edgewright_runtime.aside import folder_aside
from edgewright_runtime.samples import FILE_INPUTS, JSON_INPUTS, LIST_INPUTS, PLACE_INPUTS
from edgewright_targets import InputError, MissingDependencyError
from edgewright_targets.errors import first_line

if TYPE_CHECKING:
    import pyarrow as pa

# Rows that are in memory at once: of texts, and of pictures or sounds.
_TEXT_ROWS, _FILE_ROWS = 128, 16


class Aside:
    """A folder for files that come out of a data set; it goes when nothing holds this object, and with the process."""

    def __init__(self) -> None:
        stack = contextlib.ExitStack()
        self.folder = stack.enter_context(folder_aside(Path(tempfile.gettempdir()), "edgewright-data-"))
        weakref.finalize(self, stack.close)


@dataclass(frozen=True)
class Stored:
    """A data set in Arrow's forms.

    Attributes:
        path: As the user named it.
        files: What it is made of, in order: `.parquet` or `.arrow`.
        saved: Folder that `save_to_disk` wrote, or None.
    """

    path: Path
    files: tuple[Path, ...]
    saved: Path | None = None

    def read(self, form: Form) -> tuple[list[Any], list[Any] | None, Aside]:
        """Samples, their ground truth, and the owner of the samples' temporary files, as `read_dataset` gives them."""
        with _readable(self.path):
            import datasets
            import pyarrow as pa

            aside = Aside()
            try:
                schema, features = self._schema(datasets)
                columns = columns_of(self.path, form, list(schema.names))
                wanted = list(dict.fromkeys([*columns.values(), form.truth.column]))
                wanted = [name for name in wanted if name in schema.names]
                files = {column for name, column in columns.items() if name in FILE_INPUTS}
                if form.truth.is_file and form.truth.column in wanted:
                    files.add(form.truth.column)
                tables = self._tables([name for name in schema.names if name in wanted], bool(files))
                chosen = self._chosen(form, tables, [name for name in wanted if name not in files])
                made = (
                    (place, self._row(row, columns, files, place, aside.folder / self.path.name / str(index)))
                    for index, place, row in _rows(tables, chosen, features)
                )
                samples, labels = samples_of_rows(self.path, form, wanted, made)
            except (pa.ArrowException, FileNotFoundError) as error:
                raise InputError(f"'{self.path}' cannot be read: {first_line(error).rstrip('.')}.") from error
        return samples, labels, aside

    def _schema(self, datasets: Any) -> tuple[pa.Schema, Any]:
        """Names and types of the columns, alike in all files, and what `datasets` says of them."""
        import pyarrow as pa
        import pyarrow.parquet

        if self.saved is not None:
            found = datasets.load_from_disk(str(self.saved))
            return found.features.arrow_schema, found.features
        first: pa.Schema | None = None
        for file in self.files:
            try:
                schema = pa.parquet.read_schema(file)
            except (pa.ArrowException, OSError) as error:
                raise InputError(
                    f"'{file}' is not a readable Parquet file: {first_line(error).rstrip('.')}."
                ) from error
            if first is not None and not schema.equals(first):
                raise InputError(f"'{file}' has other columns than '{self.files[0].name}' beside it.")
            first = schema
        assert first is not None
        return first, datasets.Features.from_arrow_schema(first)

    def _tables(self, columns: list[str], files: bool) -> list[Table]:  # noqa: FBT001
        """What the rows lie in, in order."""
        import datasets
        import pyarrow.parquet

        size = _FILE_ROWS if files else _TEXT_ROWS
        if self.saved is not None:
            found = datasets.load_from_disk(str(self.saved)).select_columns(columns).with_format("arrow")
            return [Saved(self.path, columns, size, found)]
        return [Parquet(file, columns, size, pyarrow.parquet.read_metadata(file)) for file in self.files]

    def _chosen(self, form: Form, tables: Sequence[Table], texts: Sequence[str]) -> list[int] | None:
        """Numbers of the rows to read, or None for all; refuses more than is kept in memory before any is read."""
        total = sum(table.rows for table in tables)
        if form.most is not None and total > form.most:
            return drawn(total, form.most)
        size = sum(table.text_bytes(texts) for table in tables)
        if size > MOST_CHARACTERS:
            raise too_large(self.path, f"{size:,} bytes of text")
        return None

    def _row(
        self, row: dict[str, object], columns: dict[str, str], files: set[str], place: str, aside: Path
    ) -> dict[str, object]:
        """A row with the files of its columns `files` in files, the sample's at `aside` and the mask's in a folder."""
        for column in files:
            there = aside if column in columns.values() else aside.parent / column / aside.name
            row[column] = self._file(row[column], f"{place}: the column '{column}'", there)
        for column in columns.values():
            if column in files:
                continue
            # A list is looked at where lists in tables are.
            listed = column in (*LIST_INPUTS, *JSON_INPUTS, *PLACE_INPUTS)
            if not listed and row[column] is not None and not isinstance(row[column], str):
                raise InputError(
                    f"{place}: the column '{column}' holds {type(row[column]).__name__}; this model takes a text."
                )
        return row

    def _file(self, cell: Any, place: str, aside: Path) -> Any:
        """A picture or sound as a file; its own file where the data set only names it."""
        content, name = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, cell)
        if isinstance(content, bytes) and content:
            suffix = PurePosixPath(name if isinstance(name, str) else "").suffix
            file = aside.with_suffix(suffix if re.fullmatch(r"\.\w{1,8}", suffix) else "")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            return file
        if not isinstance(content, bytes) and isinstance(name, str):
            named = (self.saved or self.files[0].parent) / name
            if not named.is_file():
                raise InputError(f"{place} names a file that is not there: '{named}'.")
            return named
        found = "nothing" if cell is None or content == b"" else type(cell).__name__
        raise InputError(f"{place} holds {found}; expected the bytes of a file, or its path.")


def _rows(
    tables: Sequence[Table], chosen: list[int] | None, features: Any
) -> Iterator[tuple[int, str, dict[str, object]]]:
    """Number, place and values of each row; classes are names, as everywhere else."""
    start = 0
    for table in tables:

        def numbers(first: int, end: int, start: int = start) -> Sequence[int]:
            """Of the rows from `first` to `end` of this table, the wanted ones."""
            if chosen is None:
                return range(first, end)
            begin, stop = (bisect.bisect_left(chosen, start + number) for number in (first, end))
            return [number - start for number in chosen[begin:stop]]

        for first, piece in table.pieces(lambda first, end: bool(numbers(first, end))):
            found = numbers(first, first + piece.num_rows)
            for number, row in zip(found, piece.take([number - first for number in found]).to_pylist(), strict=True):
                place = f"'{table.path}', row {number + 1}"
                yield (
                    start + number,
                    place,
                    {name: _named(value, features.get(name), place) for name, value in row.items()},
                )
        start += table.rows


def _named(value: Any, feature: Any, place: str) -> Any:
    """Classes by their names; everything else as it is."""
    names = getattr(feature, "names", None)
    if names and isinstance(value, int):
        if not 0 <= value < len(names):
            raise InputError(f"{place}: the class {value} is not one of its {len(names)} classes.")
        return names[value]
    inner = getattr(feature, "feature", None)
    if isinstance(value, list) and inner is not None:
        return [_named(entry, inner, place) for entry in value]
    return value


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            f"Reading '{path}' needs the library '{error.name}', which is not installed.",
            hint="Install it with: pip install 'edgewright[datasets]'",
        ) from error
