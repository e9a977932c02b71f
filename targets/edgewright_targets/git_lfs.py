"""Pointers of Git LFS: a clone without the tool has a text of three lines in the place of each large file."""

from __future__ import annotations

from pathlib import Path

from edgewright_targets.errors import InputError

# How a pointer begins, and how large it is at most (specification of Git LFS, docs/spec.md).
_BEGIN = b"version https://git-lfs.github.com/spec/"
_MOST_BYTES = 1024


def refuse_pointer(path: Path) -> None:
    """Raise where a file is a pointer of Git LFS; what is not a plain file or cannot be read is left to its reader.

    Raises:
        InputError: It is.
    """
    # Opening a pipe would wait for its other end.
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            begin = file.read(_MOST_BYTES + 1)
    except OSError:
        return
    if begin.startswith(_BEGIN) and len(begin) <= _MOST_BYTES:
        raise InputError(
            f"'{path}' is a Git LFS pointer; the file itself was not fetched.",
            hint="Fetch it with 'git lfs install' and 'git lfs pull' in its repository.",
        )
