"""Names, files and digests of a package's folder: the one place where a name out of a package becomes an open file.

Whoever made a package chose its names and what lies under them. So a file is opened only where it is a plain one inside
the folder, and read only up to a limit.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path, PurePosixPath

from edgewright_runtime.errors import DamagedPackageError, PackageError
from edgewright_targets.errors import first_few

SUMS = "SHA256SUMS"
# A line has about 100 bytes: enough for 100,000 files.
SUMS_LIMIT_BYTES = 16 * 2**20
# Tokenizers and vocabularies: the largest of today, with a quarter of a million tokens, have 33 MiB.
VOCABULARY_LIMIT_BYTES = 256 * 2**20

_SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def check_digests(root: Path, name: str) -> int:
    """Compare every file below `root` with its `SHA256SUMS`; gives the number of files checked.

    The manifest is not read for this, so that damage to it is found as well.

    Args:
        root: Folder of a package.
        name: What messages call it: what the user named, which may be an archive.

    Raises:
        DamagedPackageError: A file is missing, changed, cut off, replaced by a link, or not listed.
    """
    sums = read_sums(root, name)
    # Links to folders are folders to is_dir(), and still nothing that a package has.
    entries = [path for path in root.rglob("*") if path.is_symlink() or not path.is_dir()]
    odd = sorted(str(path.relative_to(root)) for path in entries if path.is_symlink() or not path.is_file())
    if odd:
        raise _damaged(name, f"packages hold plain files only; these are not plain files: {first_few(odd)}")
    found = {str(PurePosixPath(path.relative_to(root))) for path in entries}
    missing = sorted(set(sums) - found)
    extra = sorted(found - set(sums) - {SUMS})
    if missing:
        raise _damaged(name, f"these files are missing: {first_few(missing)}")
    if extra:
        raise _damaged(name, f"these files are not part of it: {first_few(extra)}")
    try:
        changed = [file for file, digest in sums.items() if file_digest(root / file) != digest]
    except OSError as error:
        raise _damaged(name, f"a file cannot be read ({error})") from error
    if changed:
        raise _damaged(name, f"these files changed after the build: {first_few(changed)}")
    return len(sums)


def read_sums(root: Path, name: str) -> dict[str, str]:
    """The digests that a package lists: relative path to SHA-256; `name` is what messages call the package."""
    path = root / SUMS
    try:
        # A link, a pipe or a device could lead anywhere, or never end.
        if path.is_symlink() or not path.is_file():
            raise _damaged(name, f"{SUMS} is missing")
        lines = read_limited(path, SUMS_LIMIT_BYTES).decode().splitlines()
    except FileTooLargeError as error:
        raise _damaged(name, str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(name, f"{SUMS} cannot be read ({error})") from error
    sums: dict[str, str] = {}
    for line in lines:
        match = _SUM_LINE.fullmatch(line)
        if match is None:
            raise _damaged(name, f"{SUMS} has a line that is not a checksum: {line[:80]!r}")
        if match.group(2) in sums:
            raise _damaged(name, f"{SUMS} lists the file {quoted(match.group(2))} twice")
        sums[match.group(2)] = match.group(1)
    return sums


def _damaged(name: str, what: str) -> DamagedPackageError:
    return DamagedPackageError(
        f"The package '{name}' is damaged: {what}.", hint="Copy it again from where it was built, or build it again."
    )


def checked_path(root: Path, relative: str, name: str | None = None) -> Path:
    """`root/relative`, refused unless it stays inside `root` without links: names in a package come from a file.

    Messages call the package `name`, by default its folder.
    """
    pure = PurePosixPath(relative)
    if pure.is_absolute() or ".." in pure.parts or "\\" in relative or "\0" in relative or not pure.parts:
        raise PackageError(f"'{name or root}': the file name {quoted(relative)} leaves the package.")
    # Text and not `Path`: each file of a package comes by here when it is loaded.
    path, mode = str(root), 0
    for part in pure.parts:
        path = f"{path}{os.sep}{part}"
        try:
            mode = os.lstat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            # It is made later, or who opens it says that it is missing.
            mode = 0
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PackageError(f"'{name or root}': the file {quoted(relative)} cannot be reached: {reason}.") from error
        if stat.S_ISLNK(mode):
            raise PackageError(
                f"'{name or root}': {quoted(relative)} goes through a link; packages hold plain files only."
            )
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        # Opening a pipe waits for ever for somebody who writes into it.
        raise PackageError(f"'{name or root}': {quoted(relative)} is not a plain file; packages hold plain files only.")
    return Path(path)


def checked_folder(folder: Path, name: str) -> None:
    """Refuse a folder whose files a native library is going to open by names that it has from elsewhere.

    Args:
        folder: An existing folder of a package; its files lie directly in it.
        name: What messages call the package.

    Raises:
        PackageError: Something in it is a link, a pipe or a device.
    """
    with os.scandir(folder) as entries:
        odd = sorted(
            entry.name
            for entry in entries
            if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False))
        )
    if odd:
        raise PackageError(f"'{name}': packages hold plain files only; these are not plain files: {first_few(odd)}.")


def read_limited(path: Path, limit: int) -> bytes:
    """The content of a plain file of at most `limit` bytes.

    Raises:
        FileTooLargeError: It has more.
        OSError: It cannot be read, or it is a link, a pipe or a device.
    """
    # Not to follow a link, nor to wait for the other end of a pipe; Windows has neither flag.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(f"{path.name} is not a plain file")
        if facts.st_size > limit:
            raise FileTooLargeError(path.name, limit)
        # A file can grow between these two lines.
        return file.read(limit)


class FileTooLargeError(Exception):
    """A file of a package is larger than any that a build writes; the text says so, for people."""

    def __init__(self, name: str, limit: int) -> None:
        super().__init__(f"{name} is larger than {limit} bytes")


def folder_bytes(root: Path) -> int:
    """Bytes of all files below a folder; where a link leads is not below it."""
    return sum(facts.st_size for file in root.rglob("*") if stat.S_ISREG((facts := file.lstat()).st_mode))


def quoted(relative: str) -> str:
    """A name of a package for a message: quoted, and not longer than a line."""
    return repr(relative if len(relative) <= 100 else f"{relative[:100]}...")


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    # Here and not above: it brings OpenSSL, and opening a package takes no digest.
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
