"""Standard output and error as this program writes them: no control character of somebody else reaches the terminal.

Names, labels, predictions and messages come from packages, data files, devices and libraries. In a terminal an escape
sequence among them could rewrite what stands above, or type at the prompt.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from edgewright_targets import InputError

# What this program itself writes in colour (see `console`), and what it does not: control characters of C0 and C1 but
# for tabulators and feeds of lines and pages, and characters that turn the direction of writing (Unicode Standard
# Annex 9), by which a text can look like another one.
_OWN = r"\x1b\[(?:0|1|31|33)m"
_CONTROL = r"[\x00-\x08\x0d-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
_WRITTEN = re.compile(rf"({_OWN})|{_CONTROL}")


def printable(text: str) -> str:
    r"""The text with control characters spelt, such as `\x1b`; tabulators and ends of lines stay.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _WRITTEN.sub(lambda found: found.group(1) or found.group().encode("unicode_escape").decode("ascii"), text)


class OutputError(InputError):
    """Standard output or error cannot be written, as on a full disk."""


class GuardedStream:
    """A stream for people: what is written to it is printable, and a failing disk is said in a sentence.

    Attributes:
        unguarded: The stream below, for bars that move the cursor.
    """

    def __init__(self, unguarded: TextIO, name: str) -> None:
        self.unguarded = unguarded
        self._name = name

    def write(self, text: str) -> int:
        """Write the text; gives its length.

        Raises:
            OutputError: The disk is full or broken. A closed pipe stays `BrokenPipeError`.
        """
        with self._told():
            self.unguarded.write(printable(text))
        return len(text)

    def flush(self) -> None:
        """Write out what is kept back; raises as `write` does."""
        with self._told():
            self.unguarded.flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                f"{self._name} cannot be written: {error.strerror or error}.",
                hint="Free some space, or write elsewhere.",
            ) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unguarded, name)


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Both standard streams guarded during the block; a stream that is closed stays so."""
    before = sys.stdout, sys.stderr
    try:
        for name, title in (("stdout", "Standard output"), ("stderr", "Standard error")):
            stream = getattr(sys, name)
            if stream is not None:
                setattr(sys, name, GuardedStream(stream, title))
        yield
    finally:
        sys.stdout, sys.stderr = before
