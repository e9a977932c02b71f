"""Entries of a tar file from a stranger: tarfile reads them, and each header is looked at before tarfile believes it.

A header of 512 bytes can make tarfile allocate gigabytes, read one place for ever, call itself thousands of times, or
write a file of holes as large as the disk. None of that is in an archive that `edgewright build --archive` makes.
"""

from __future__ import annotations

import os
import re
import tarfile
from pathlib import Path

from edgewright_runtime.errors import DamagedPackageError, PackageError
from edgewright_runtime.package_files import quoted

# What tarfile raises for headers that are cut off, or were never headers.
TAR_ERRORS = (tarfile.TarError, EOFError, ValueError, ArithmeticError, LookupError)

# Headers that say something about the entry behind them, and how many bytes they may have: a path of Linux has at most
# 4,096 bytes (PATH_MAX), and pax writes it twice at most (path, linkpath).
_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_EXTENDED_LIMIT_BYTES = 64 * 2**10
# Each kind once for one entry; tarfile calls itself for each.
_EXTENDED_LIMIT = len(_EXTENDED)
# Of one part of a path, on every file system of Linux (NAME_MAX).
_NAME_LIMIT_BYTES = 255
# tarfile looks at the digits that follow each digit, which takes the square of their number in time. No honest header
# has more of them than a file name may have.
_DIGITS = re.compile(rb"[0-9]{256}")


class Entries(tarfile.TarFile):
    """A tar file whose entries are checked one by one, by where they lie and what they ask for.

    Raises:
        PackageError: An entry of a kind that packages do not have.
        DamagedPackageError: A header that points out of the file, or back.
    """

    # Missing in the types of the library.
    members: list[tarfile.TarInfo]

    def __init__(self, archive: Path) -> None:
        self.archive = archive
        # Every entry has its data in the archive, so that none can be larger, nor all of them together.
        self.size_bytes = archive.stat().st_size
        self.extended = 0
        super().__init__(archive, "r", tarinfo=_Entry)

    def refused(self, name: str, what: str) -> PackageError:
        """The error for an entry that no package has."""
        return PackageError(f"'{self.archive}': the entry {quoted(name)} {what}.")

    def cut_off(self, name: str) -> DamagedPackageError:
        """The error for an archive that ends before the entry does."""
        return self._damaged(f"it is cut off in {quoted(name)}")

    def lying(self, name: str) -> DamagedPackageError:
        """The error for a header that cannot be true."""
        return self._damaged(f"the header of {quoted(name)} is false")

    def unlisted(self, name: str) -> DamagedPackageError:
        """The error for an entry without a digest."""
        return self._damaged(f"this file is not part of it: {quoted(name)}")

    def _damaged(self, what: str) -> DamagedPackageError:
        return DamagedPackageError(
            f"The archive '{self.archive}' is damaged: {what}.",
            hint="Copy it again from where it was built, or build it again.",
        )


class _Entry(tarfile.TarInfo):
    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> _Entry:
        """The next entry; called again, by tarfile, for what stands behind an extended header.

        Raises:
            PackageError: See `Entries`.
            DamagedPackageError: See `Entries`.
        """
        assert isinstance(tarfile, Entries)
        extended = _check_header(tarfile, cls)
        tarfile.extended += extended
        try:
            if tarfile.extended > _EXTENDED_LIMIT:
                raise tarfile.refused("", f"has more than {_EXTENDED_LIMIT} extended headers")
            entry = super().fromtarfile(tarfile)
        finally:
            tarfile.extended -= extended
        # Extended headers can give another size than the header itself.
        if entry.size < 0 or tarfile.offset <= entry.offset:
            raise tarfile.lying(entry.name)
        if max(map(len, os.fsencode(entry.name).split(b"/"))) > _NAME_LIMIT_BYTES:
            raise tarfile.refused(entry.name, "has a longer name than a file can have")
        if entry.isfile() and entry.offset_data + entry.size > tarfile.size_bytes:
            raise tarfile.cut_off(entry.name)
        return entry


def _check_header(tar: Entries, kind: type[tarfile.TarInfo]) -> bool:
    """Look at the next header without moving on; whether it is one that says something about the entry behind it."""
    assert tar.fileobj is not None
    start = tar.fileobj.tell()
    try:
        header = kind.frombuf(tar.fileobj.read(tarfile.BLOCKSIZE), tarfile.ENCODING, "surrogateescape")
        if header.size < 0:
            raise tar.lying(header.name)
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise _sparse(tar, header.name)
        if header.type == tarfile.XGLTYPE:
            # tarfile keeps these for the whole archive, and copies them into each entry behind.
            raise tar.refused(header.name, "is a header for all entries")
        if header.type in _EXTENDED:
            _check_extended(tar, header)
            return True
    except tarfile.HeaderError:
        # The end of the archive, or no header: tarfile says which.
        return False
    finally:
        tar.fileobj.seek(start)
    return False


def _check_extended(tar: Entries, header: tarfile.TarInfo) -> None:
    assert tar.fileobj is not None
    if header.size > _EXTENDED_LIMIT_BYTES:
        raise tar.refused(header.name, f"has an extended header of more than {_EXTENDED_LIMIT_BYTES} bytes")
    data = tar.fileobj.read(header.size)
    if len(data) < header.size:
        raise tar.cut_off(header.name)
    if b"GNU.sparse." in data:
        raise _sparse(tar, header.name)
    if _DIGITS.search(data):
        raise tar.lying(header.name)


def _sparse(tar: Entries, name: str) -> PackageError:
    return tar.refused(name, "is a sparse file; packages hold plain files only")
