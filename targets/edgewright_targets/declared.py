"""Declared files: TOML that says what it is by its key `kind`, read strictly, with the line of what is wrong.

One reader for all kinds, and this one list of them. Adding a kind is a row here and the dataclass of its keys, which
whoever takes such files hands to `read_declared`. Their keys are described in `docs/declared.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgewright_targets.errors import InputError, nearest
from edgewright_targets.record import RecordError, read_record
from edgewright_targets.toml_lines import parse_toml, with_line

T = TypeVar("T")

# People write these files; anything larger is another file.
_LARGEST_BYTES = 2**20


@dataclass(frozen=True)
class FileKind:
    """A kind of declared file.

    Attributes:
        title: What it declares, with its article.
        use: How such a file is passed, as a whole sentence.
        schema: The newest version of its keys that is read. A key that changes its meaning raises it; a new one that
            may be left out does not.
        marks: Keys by which a file without `kind` is known: those from before the key are read without it.
    """

    title: str
    use: str
    schema: int
    marks: tuple[str, ...] = ()


# What `kind` says -> the kind.
FILE_KINDS = {
    "application": FileKind(title="an application of several models", use="Build it: edgewright build FILE.", schema=1),
    "build": FileKind(title="a build", use="Build it: edgewright build --file FILE.", schema=1),
    "model": FileKind(
        title="a model of several graphs", use="Build it: edgewright build FILE.", schema=1, marks=("component",)
    ),
    "target": FileKind(
        title="a target",
        use="Pass it with --target FILE.",
        schema=1,
        marks=("extends", "architecture", "candidate"),
    ),
}


def declared_text(path: Path, what: str) -> str:
    """The text of a declared file; `what` is what messages call it.

    Raises:
        InputError: The file cannot be read, is not text, or is larger than any such file.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"'{path}' is larger than 1 MiB, the limit for a {what}.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The {what} '{path}' cannot be read: {error}.") from error


def read_declared(form: type[T], kind: str, text: str, where: str) -> T:
    """The dataclass `form` from the text of a file of this kind; `where` is what messages call the file.

    Args:
        form: Its keys, beside `kind` and `schema`.
        kind: The kind that is expected, one of `FILE_KINDS`.
        text: Its content.
        where: Its name.

    Raises:
        RecordError: It is not valid TOML, of another kind, of a newer schema, or not of this form. The message begins
            with the file and the line.
    """
    data = parse_toml(text, where)
    try:
        _check_kind(data, kind, where)
        _check_schema(data, FILE_KINDS[kind].schema, where)
        return read_record(form, {key: data[key] for key in data if key not in ("kind", "schema")}, where)
    except RecordError as error:
        raise with_line(error, text, where) from error


def _check_kind(data: Mapping[str, object], wanted: str, where: str) -> None:
    declared = data.get("kind", _kind_by_marks(data))
    if declared is None:
        kinds = ", ".join(f"{name} ({kind.title})" for name, kind in FILE_KINDS.items())
        raise RecordError(
            f"{where}: this file does not say what it declares.",
            hint=f'Begin it with the line: kind = "{wanted}". Kinds: {kinds}.',
        )
    if not isinstance(declared, str) or declared not in FILE_KINDS:
        shown = str(declared)[:60]
        raise RecordError(f"{where}: unknown kind '{shown}'.", hint=nearest(shown, FILE_KINDS), keys=("kind",))
    if declared != wanted:
        found = FILE_KINDS[declared]
        raise RecordError(
            f"{where}: this file declares {found.title}; {FILE_KINDS[wanted].title} is expected here.",
            hint=found.use,
            keys=("kind",),
        )


def _kind_by_marks(data: Mapping[str, object]) -> str | None:
    found = [name for name, kind in FILE_KINDS.items() if any(mark in data for mark in kind.marks)]
    return found[0] if len(found) == 1 else None


def _check_schema(data: Mapping[str, object], newest: int, where: str) -> None:
    schema = data.get("schema", 1)
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise RecordError(f"{where}: schema: expected a number from 1 on.", keys=("schema",))
    if schema > newest:
        raise RecordError(
            f"{where}: the file has schema {str(schema)[:20]}; this version of Edgewright reads up to {newest}.",
            hint="Upgrade with 'pip install --upgrade edgewright', or write the file for this version.",
            keys=("schema",),
        )
