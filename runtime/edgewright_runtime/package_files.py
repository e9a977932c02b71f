"""Names, files and digests of a package's folder: the one place where a name out of a package becomes an open file.

Whoever made a package chose its names and what lies under them. So a file is opened only where it is a plain one inside
the folder, and read only up to a limit.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from edgewright_runtime.errors import DamagedPackageError, PackageError

SUMS = "SHA256SUMS"
# A line has about 100 bytes: enough for 100,000 files.
SUMS_LIMIT_BYTES = 16 * 2**20

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
        raise _damaged(name, f"packages hold plain files only, and these are none: {', '.join(odd)}")
    found = {str(PurePosixPath(path.relative_to(root))) for path in entries}
    missing = sorted(set(sums) - found)
    extra = sorted(found - set(sums) - {SUMS})
    if missing:
        raise _damaged(name, f"these files are missing: {', '.join(missing)}")
    if extra:
        raise _damaged(name, f"these files are not part of it: {', '.join(extra)}")
    try:
        changed = [file for file, digest in sums.items() if file_digest(root / file) != digest]
    except OSError as error:
        raise _damaged(name, f"a file cannot be read ({error})") from error
    if changed:
        raise _damaged(name, f"these files changed after the build: {', '.join(changed)}")
    return len(sums)


def read_sums(root: Path, name: str) -> dict[str, str]:
    """The digests that a package lists: relative path to SHA-256; `name` is what messages call the package."""
    path = root / SUMS
    try:
        # A link, a pipe or a device could lead anywhere, or never end.
        if path.is_symlink() or not path.is_file():
            raise _damaged(name, f"{SUMS} is missing")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(name, f"{SUMS} cannot be read ({error})") from error
    sums: dict[str, str] = {}
    for line in lines:
        match = _SUM_LINE.fullmatch(line)
        if match is None:
            raise _damaged(name, f"{SUMS} has a line that is no checksum: {line[:80]!r}")
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
        raise PackageError(f"'{name or root}': the file name {relative!r} leaves the package.")
    path = root
    for part in pure.parts:
        path = path / part
        if path.is_symlink():
            raise PackageError(f"'{name or root}': {relative!r} goes through a link; packages hold plain files only.")
    return path


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    # Here and not above: it brings OpenSSL, and opening a package takes no digest.
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
