"""A package as one file for transport: a plain tar, the same bytes for the same package, and safe to unpack.

`SHA256SUMS` comes first, so that an archive is known by its first kilobytes: its digest names the folder in the cache
where the archive is unpacked, once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from edgewright_runtime.aside import folder_aside
from edgewright_runtime.cache_folder import UNPACKED, cache_folder
from edgewright_runtime.errors import DamagedPackageError, PackageError
from edgewright_runtime.package_files import SUMS, SUMS_LIMIT_BYTES, check_digests, checked_path, read_sums
from edgewright_runtime.tar_entries import TAR_ERRORS, Entries


def write_archive(package: Path, archive: Path) -> None:
    """Write the package folder as one tar file, atomically; owner, times and modes are fixed."""
    files = sorted(path for path in package.rglob("*") if path.is_file())
    files.sort(key=lambda path: path.name != SUMS)
    with folder_aside(archive.absolute().parent, f".{archive.name}.") as folder:
        made = folder / archive.name
        # PAX and not USTAR: the same bytes for ordinary names and sizes, and weights may have more than 8 GiB.
        with made.open("xb") as raw, tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path in files:
                info = tarfile.TarInfo(str(PurePosixPath(path.relative_to(package))))
                info.size = path.stat().st_size
                info.mode = 0o644
                with path.open("rb") as content:
                    tar.addfile(info, content)
            tar.close()
            raw.flush()
            os.fsync(raw.fileno())
        made.replace(archive)


def unpacked(archive: Path, *, check: bool = False) -> Path:
    """The folder of an archive's content, in the cache; unpacked and checked against its digests the first time.

    Args:
        archive: The file.
        check: Read the whole archive again even where its content is in the cache, and compare both.

    Raises:
        PackageError: Not an archive of a package, or one with entries that a package cannot have.
        DamagedPackageError: Cut off, or changed after it was made.
    """
    try:
        tar = Entries(archive)
    except OSError as error:
        raise PackageError(f"'{archive}' cannot be read: {error.strerror}.") from error
    except TAR_ERRORS as error:
        raise _no_archive(archive) from error
    with tar:
        sums = _read_sums(tar)
        folder = cache_folder() / UNPACKED / hashlib.sha256(sums).hexdigest()
        if check or not folder.is_dir():
            try:
                _unpack(tar, sums, folder)
            except OSError as error:
                raise PackageError(
                    f"'{archive}' cannot be unpacked into '{folder.parent}': {error.strerror or error}.",
                    hint="Free some space ('edgewright cache clear'), or set XDG_CACHE_HOME to another disk.",
                ) from error
    return folder


def _no_archive(archive: Path) -> PackageError:
    return PackageError(
        f"'{archive}' is not a package: it is neither a folder nor an archive that begins with {SUMS}.",
        hint="Archives are made with 'edgewright build ... --archive'.",
    )


def _read_sums(tar: Entries) -> bytes:
    """The content of the first entry, which lists the digests of all others and so names what is in the archive."""
    try:
        first = tar.next()
        if first is None or first.name != SUMS or not first.isfile() or first.size > SUMS_LIMIT_BYTES:
            raise _no_archive(tar.archive)
        content = tar.extractfile(first)
        data = content.read() if content else b""
    except TAR_ERRORS as error:
        raise tar.cut_off(SUMS) from error
    if len(data) != first.size:
        raise tar.cut_off(SUMS)
    return data


def _unpack(tar: Entries, sums: bytes, folder: Path) -> None:
    """Write what the sums list into `folder`, made aside; nothing else is written, and no more than the archive has."""
    archive = tar.archive
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder_aside(folder.parent, ".unpack-") as made:
        _check_space(tar, made)
        (made / SUMS).write_bytes(sums)
        listed = read_sums(made, str(archive))
        for member in _members(tar):
            _unpack_member(tar, member, listed, made)
        check_digests(made, str(archive))
        if folder.is_dir():
            try:
                check_digests(folder, str(folder))
            except DamagedPackageError:
                # The copy in the cache was changed; the archive was not, as we know now.
                shutil.rmtree(folder)
        try:
            made.rename(folder)
        except OSError:
            # It was there and whole, or another process unpacked the same archive just now: the same bytes.
            if not folder.is_dir():
                raise


def _members(tar: Entries) -> Iterator[tarfile.TarInfo]:
    """The entries behind the sums, one by one: a list of all would be as long as the archive says."""
    while True:
        try:
            member = tar.next()
        except TAR_ERRORS as error:
            raise tar.cut_off("its list of files") from error
        if member is None:
            return
        tar.members.clear()
        yield member


def _check_space(tar: Entries, folder: Path) -> None:
    # Plain entries lie in the archive as they are, so that all of them have fewer bytes than the archive.
    needed = tar.size_bytes
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise PackageError(
            f"'{tar.archive}' needs {needed} bytes unpacked; {free} are free in '{folder.parent}'.",
            hint="Free some space ('edgewright cache clear'), or set XDG_CACHE_HOME to a larger disk.",
        )


def _unpack_member(tar: Entries, member: tarfile.TarInfo, listed: Mapping[str, str], folder: Path) -> None:
    if not member.isfile():
        raise tar.refused(member.name, "is not a plain file; packages hold plain files only")
    path = checked_path(folder, member.name, str(tar.archive))
    if path.exists():
        raise tar.refused(member.name, "appears twice")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise tar.refused(member.name, "is inside a file") from error
    if member.name not in listed:
        raise tar.unlisted(member.name)
    try:
        content = tar.extractfile(member)
        with path.open("xb") as file:
            shutil.copyfileobj(content, file)  # type: ignore[arg-type] # None is for entries that are not files
    except TAR_ERRORS as error:
        raise tar.cut_off(member.name) from error
    if path.stat().st_size != member.size:
        raise tar.cut_off(member.name)
