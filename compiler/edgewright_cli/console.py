"""Words on a terminal: wrapped to its width, aligned, coloured only where someone looks and wants it."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sys
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from edgewright_targets import EdgewrightError
from edgewright_targets.errors import bounded
from edgewright_targets.findings import CollectedInputError

if TYPE_CHECKING:
    import argparse

    from edgewright_benchmarks.progress import Progress

_BOLD, _FAINT, _RED, _YELLOW = "1", "2", "31", "33"
_MAX_WIDTH = 100


def width() -> int:
    """Columns to write in: those of the terminal, at most a readable line."""
    return min(shutil.get_terminal_size((80, 24)).columns, _MAX_WIDTH)


def _styled(text: str, code: str, stream: TextIO) -> str:
    # https://no-color.org: any non-empty value turns colour off.
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def bold(text: str) -> str:
    """Text in bold on standard output."""
    return _styled(text, _BOLD, sys.stdout)


def grey(text: str) -> str:
    """Text on standard output that matters less."""
    return _styled(text, _FAINT, sys.stdout)


def wrapped(text: str, indent: str = "", first: str | None = None) -> str:
    """Text wrapped to the terminal; long words such as paths stay whole."""
    return textwrap.fill(
        text,
        width(),
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def say_error(error: EdgewrightError) -> None:
    """An error for people: what failed, then what to do; of several, each."""
    if isinstance(error, CollectedInputError):
        for one in error.errors:
            say_error(one)
        return
    head = _styled("error:", _RED, sys.stderr)
    lines = error.message.splitlines() or [""]
    print(wrapped(lines[0], "  ", f"{head} "), file=sys.stderr)
    for line in lines[1:]:
        print(wrapped(line, "    "), file=sys.stderr)
    if error.hint:
        print(wrapped(error.hint, "  "), file=sys.stderr)


def say_warning(text: str) -> None:
    """A warning for people, on standard error."""
    head = _styled("warning:", _YELLOW, sys.stderr)
    print(wrapped(bounded(text), "  ", f"{head} "), file=sys.stderr)


# Files whose warnings are for the developers of libraries, ours among them.
_LIBRARIES = re.compile(r"[/\\](?:(?:site|dist)-packages|lib[/\\]python3\.\d+|edgewright_\w+)[/\\]|^<")


@contextmanager
def routed_warnings() -> Iterator[None]:
    """Show warnings without the place in a file that Python adds: ours, and those of the user's own code.

    What libraries say to their own developers goes nowhere, unless it was asked for (`-W`, PYTHONWARNINGS).
    """

    def say(message: Warning | str, kind: type[Warning], file: str, *_: Any) -> None:
        if kind.__module__.startswith("edgewright_"):
            say_warning(str(message))
        elif not _LIBRARIES.search(file):
            say_warning(f"{Path(file).name} says: {message}")

    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.showwarning = say  # type: ignore[assignment]
        yield


@contextmanager
def spoken_warnings(category: type[Warning] = UserWarning) -> Iterator[set[str]]:
    """Show warnings of a category as ours, each once, without the place in the code that Python would add.

    Gives those that were shown.
    """
    shown_texts: set[str] = set()

    def say(message: Warning | str, kind: type[Warning], *place: Any) -> None:
        text = str(message)
        if not issubclass(kind, category):
            shown(message, kind, *place)
        elif text not in shown_texts:
            shown_texts.add(text)
            say_warning(text)

    with warnings.catch_warnings():
        shown: Any = warnings.showwarning
        warnings.showwarning = say  # type: ignore[assignment]
        warnings.simplefilter("always", category)
        yield shown_texts


def print_json(data: Any) -> None:
    """Data for machines, on standard output."""
    print(json.dumps(data, indent=2))


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = (), *, fitted: bool = False
) -> str:
    """Aligned columns; those in `right` (by index) end at the same place, as numbers should.

    A name of a column may have several lines.

    Args:
        header: Names of columns.
        rows: Cells.
        right: Columns of numbers.
        fitted: Where the rows are wider than the terminal, cells of words go on below.
    """
    named = [name.split("\n") for name in header]
    height = max(map(len, named))
    heads = list(zip(*([""] * (height - len(lines)) + lines for lines in named), strict=True))
    if fitted:
        rows = _fitted(heads, rows, right)
    widths = [max(len(row[i]) for row in (*heads, *rows)) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        parts = [
            cell.rjust(size) if i in right else cell.ljust(size)
            for i, (cell, size) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(parts).rstrip()

    return "\n".join([*(bold(line(head)) for head in heads), *(line(row) for row in rows)])


def _fitted(
    heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], right: Sequence[int]
) -> list[tuple[str, ...]]:
    """Rows that are as wide as the terminal, where they can be: a cell that is too wide has lines of its own."""
    columns = [[[cell] for cell in column] for column in zip(*rows, strict=True)]
    least = [max(len(line[i]) for line in heads) for i in range(len(columns))]
    open_ones = {i for i in range(len(columns)) if i not in right}

    def size(i: int) -> int:
        return max(least[i], *(len(line) for cell in columns[i] for line in cell))

    while open_ones and sum(map(size, range(len(columns)))) + 2 * (len(columns) - 1) > width():
        widest = max(open_ones, key=size)
        narrower = size(widest) - 1
        split = [textwrap.wrap(row[widest], narrower, break_long_words=False) or [""] for row in rows]
        if narrower < least[widest] or any(len(line) > narrower for cell in split for line in cell):
            # One word is as wide.
            open_ones.remove(widest)
        else:
            columns[widest] = split
    return [line for cells in zip(*columns, strict=True) for line in itertools.zip_longest(*cells, fillvalue="")]


def progress(options: argparse.Namespace) -> Progress:
    """The progress that long work reports to: on the terminal, or nowhere with --quiet."""
    from edgewright_benchmarks.progress import Quiet, Terminal

    return Quiet() if options.quiet else Terminal()


def megabytes(size: float) -> str:
    """Bytes for people, in units of 10^6."""
    return f"{size / 1e6:,.1f} MB"
