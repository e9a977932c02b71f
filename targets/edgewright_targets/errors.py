"""The errors that Edgewright raises on purpose: each says what failed, what was asked, what there is and what to do.

Libraries raise these; only the command line turns them into exit codes. Everything else that escapes is a bug of
ours and shows its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable

# Of a file or an option in a message.
_LONGEST_NAME = 200
# Characters of one message: two screens of 80 x 24. The longest of our own has about a tenth of it.
_MESSAGE_LIMIT = 4000


class EdgewrightError(Exception):
    """Base of all errors on purpose.

    Args:
        message: What failed and what was asked, in one or two sentences.
        hint: What the reader can do about it, in the imperative.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = bounded(message)
        self.hint = bounded(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InputError(EdgewrightError):
    """The user's input or call is wrong: nothing was written (exit code 2)."""


class MissingDependencyError(InputError):
    """A part that this call needs is not installed; the hint is the command that installs it."""


class CheckFailedError(EdgewrightError):
    """A check that was asked for ran and said no (exit code 1)."""

    exit_code = 1


def first_line(error: BaseException) -> str:
    """The first line of an error's text that says something; its kind where it has no text.

    Of an error of a library, which a message of ours quotes.
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def bounded(text: str) -> str:
    """The text, without its middle where it is longer than anybody reads: files of others have names of any length."""
    if len(text) <= _MESSAGE_LIMIT:
        return text
    half = _MESSAGE_LIMIT // 2
    return f"{text[:half]} [... {len(text) - 2 * half:,} characters left out ...] {text[-half:]}"


def printable(text: str) -> str:
    """Text with spaces in place of control characters: XML and comments of TOML have no form for them.

    >>> printable(f"one{chr(7)}two")
    'one two'
    """
    return "".join(character if character.isprintable() else " " for character in text)


def first_few(names: Iterable[object], *, shown: int = 8) -> str:
    """The first of `names` for a message, and how many there are: a package can have any number of them.

    >>> first_few(["a", "b", "c"], shown=2)
    'a, b and 1 more'
    """
    found = [text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}..." for text in map(str, names)]
    more = len(found) - shown
    return ", ".join(found[:shown]) + (f" and {more} more" if more > 0 else "")


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence for error messages: the names nearest to `name`, else all of them.

    >>> nearest("hots", ["host", "rtx-40"])
    "Did you mean 'host'? Known: host, rtx-40."
    """
    import difflib

    names = sorted(known)
    # Capitals are the commonest difference, and no likeness to difflib.
    by_small = {known_name.casefold(): known_name for known_name in names}
    close = [by_small[small] for small in difflib.get_close_matches(name.casefold(), by_small, n=3, cutoff=0.5)]
    listing = f"Known: {', '.join(names)}." if names else "None are known."
    if not close:
        return listing
    return f"Did you mean {' or '.join(repr(c) for c in close)}? {listing}"
