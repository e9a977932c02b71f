"""Text files as people save them: their encoding, and what stands between the columns of a table."""

from __future__ import annotations

import codecs
import contextlib
import csv
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from edgewright_benchmarks.data._encodings import likely_encodings
from edgewright_targets import InputError
from edgewright_targets.git_lfs import refuse_pointer

# What a file may begin with (Unicode Standard, 23.8). The mark of UTF-16 begins that of UTF-32, which is looked for
# first. Python's codecs of these names take the mark away.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
# Spreadsheets write semicolons where the comma is the decimal sign, and tabulators as "text".
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabulators", "|": "vertical bars"}
_PIECE = 1 << 20
# Characters of one line: a thousand columns of a book's page. A file of holes is one line of gigabytes.
_LINE_LIMIT = 2**26


class DataWarning(UserWarning):
    """A data file is read in a way that a person may not expect, such as with another encoding or separator."""


def encoding_of(path: Path) -> str:
    """The encoding that a byte order mark says, else UTF-8."""
    with path.open("rb") as file:
        begin = file.read(4)
    return next((name for mark, name in _MARKS if begin.startswith(mark)), "utf-8")


@contextlib.contextmanager
def open_text(path: Path, *, newline: str = "") -> Iterator[IO[str]]:
    r"""A text file in UTF-8, or in the encoding of its byte order mark, with its lines as they are.

    Args:
        path: The file.
        newline: As `open` takes it. The default ends lines at `\n`, `\r` and `\r\n` and at nothing else: the other
            line separators of Unicode are characters of a cell.

    Raises:
        InputError: It is a pointer of Git LFS; in the block: bytes that are not of this encoding.
        OSError: It cannot be read.
    """
    refuse_pointer(path)
    encoding = encoding_of(path)
    try:
        with path.open(encoding=encoding, newline=newline) as file:
            yield file
    except UnicodeError as error:
        name = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
        place = _undecodable(path, encoding)
        raise InputError(
            f"'{path}' is not {name}: byte {place} cannot be decoded.",
            hint=_hint(path, place) if name == "UTF-8" else "It may be cut off. Save it again, best as UTF-8.",
        ) from error


def _hint(path: Path, place: int) -> str:
    likely = likely_encodings(path, place)
    said = f"It seems to be {' or '.join(f'{name} ({language})' for name, language in likely)}. " if likely else ""
    name = likely[0][0] if likely else "latin1"
    copy = f"{path.stem}-utf8{path.suffix}"
    return f"{said}Save it as UTF-8, for example with: iconv -f {name} -t utf-8 {path.name} -o {copy}"


def lines(path: Path, file: IO[str]) -> Iterator[str]:
    """The lines of an open file, from where it stands.

    Raises:
        InputError: One is too long to be a row.
    """
    while line := file.readline(_LINE_LIMIT + 1):
        if len(line) > _LINE_LIMIT:
            raise InputError(
                f"'{path}' has a line of more than {_LINE_LIMIT:,} characters.",
                hint="A table has one row per line. Check that the file is a table and complete.",
            )
        yield line


def _undecodable(path: Path, encoding: str) -> int:
    """The place of the first byte that cannot be decoded; an error in the block only knows its own piece."""
    # The mark is a character of plain UTF-8, so that it counts.
    decoder = codecs.getincrementaldecoder("utf-8" if encoding == "utf-8-sig" else encoding)()
    done = 0
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                return done - pending + error.start
            done += len(piece)
            if not piece:
                return done


def separated_rows(path: Path, file: IO[str], wanted: Sequence[str]) -> tuple[Any, list[str], str]:
    """The rows below the header of a table, the names of its columns, and what is between them.

    The separator is the one whose header has the most of the columns `wanted`, a comma where none has any.

    Raises:
        csv.Error: The header cannot be read.
    """
    order = ("\t", *(sign for sign in _SEPARATORS if sign != "\t")) if path.suffix.lower() == ".tsv" else _SEPARATORS
    lowered = {name.casefold() for name in wanted}

    def found(separator: str) -> int:
        try:
            header = _header(path, file, separator)[1]
        except csv.Error:
            return 0
        return len(lowered & {name.casefold() for name in header})

    separator = max(order, key=found)
    return (*_header(path, file, separator), separator)


def _header(path: Path, file: IO[str], separator: str) -> tuple[Any, list[str]]:
    file.seek(0)
    # strict: an unbalanced quote would otherwise swallow the rest of the file into one cell.
    rows = csv.reader(lines(path, file), delimiter=separator, strict=True)
    return rows, [name.strip() for name in next(rows, [])]


def how_read(path: Path, separator: str) -> str:
    """What is unusual about a table, as a sentence; empty where nothing is."""
    encoding = encoding_of(path)
    parts = []
    if not encoding.startswith("utf-8"):
        parts.append(f"as {encoding.upper()}")
    if separator != ("\t" if path.suffix.lower() == ".tsv" else ","):
        parts.append(f"with {_SEPARATORS[separator]} between its columns")
    return f"'{path}' is read {' and '.join(parts)}." if parts else ""


def warn_of_indices(begin: str, class_names: Sequence[str]) -> None:
    """Say that class indices take the place of class names; `begin` says where, up to the verb."""
    shown = ", ".join(f"{index} is '{name}'" for index, name in enumerate(class_names[:3]))
    more = ", ..." if len(class_names) > 3 else ""
    warnings.warn(DataWarning(f"{begin} class indices of the model: {shown}{more}."), stacklevel=2)
