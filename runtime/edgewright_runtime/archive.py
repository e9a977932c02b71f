"""A package as one file for transport: a plain tar, the same bytes for the same package, and safe to unpack.

`SHA256SUMS` comes first, so that an archive is known by its first kilobytes: its digest names the folder in the cache
where the archive is unpacked, once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from edgewright_runtime.aside import folder_aside
from edgewright_runtime.errors import DamagedPackageError, PackageError
from edgewright_runtime.package_files import SUMS, check_digests, checked_path

_SUMS_LIMIT_BYTES = 16 * 2**20
UNPACKED = "unpacked"
# What tarfile raises for headers that are cut off, or were never headers.
_TAR_ERRORS = (tarfile.TarError, EOFError, ValueError, ArithmeticError, LookupError)


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


def cache_folder() -> Path:
    """Edgewright's folder under the XDG cache folder (`~/.cache/edgewright`); not created."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "edgewright"


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
        tar = tarfile.open(archive, mode="r:")  # noqa: SIM115 - closed by the with block below
    except OSError as error:
        raise PackageError(f"'{archive}' cannot be read: {error.strerror}.") from error
    except _TAR_ERRORS as error:
        raise _no_archive(archive) from error
    with tar:
        folder = cache_folder() / UNPACKED / _content_key(tar, archive)
        if check or not folder.is_dir():
            try:
                _unpack(tar, archive, folder)
            except OSError as error:
                raise PackageError(
                    f"'{archive}' cannot be unpacked into '{folder.parent}': {error.strerror or error}.",
                    hint="Free some space ('edgewright cache clear'), or set XDG_CACHE_HOME to another disk.",
                ) from error
    return folder


def _no_archive(archive: Path) -> PackageError:
    return PackageError(
        f"'{archive}' is no package: it is neither a folder nor an archive that begins with {SUMS}.",
        hint="Archives are made with 'edgewright build ... --archive'.",
    )


def _content_key(tar: tarfile.TarFile, archive: Path) -> str:
    try:
        first = tar.next()
        if first is None or first.name != SUMS or not first.isfile() or first.size > _SUMS_LIMIT_BYTES:
            raise _no_archive(archive)
        content = tar.extractfile(first)
        data = content.read() if content else b""
    except _TAR_ERRORS as error:
        raise _cut_off(archive, SUMS) from error
    if len(data) != first.size:
        raise _cut_off(archive, SUMS)
    return hashlib.sha256(data).hexdigest()


def _cut_off(archive: Path, name: str) -> DamagedPackageError:
    return DamagedPackageError(
        f"The archive '{archive}' is damaged: it is cut off in '{name}'.",
        hint="Copy it again from where it was built, or build it again.",
    )


def _unpack(tar: tarfile.TarFile, archive: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder_aside(folder.parent, ".unpack-") as made:
        try:
            members = tar.getmembers()
        except _TAR_ERRORS as error:
            raise _cut_off(archive, "its list of files") from error
        _check_space(members, archive, made)
        for member in members:
            _unpack_member(tar, member, archive, made)
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


def _check_space(members: list[tarfile.TarInfo], archive: Path, folder: Path) -> None:
    needed = sum(member.size for member in members)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise PackageError(
            f"'{archive}' needs {needed} bytes unpacked; {free} are free in '{folder.parent}'.",
            hint="Free some space ('edgewright cache clear'), or set XDG_CACHE_HOME to a larger disk.",
        )


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, archive: Path, folder: Path) -> None:
    if not member.isfile():
        raise PackageError(f"'{archive}': the entry {member.name!r} is no plain file; packages hold plain files only.")
    path = checked_path(folder, member.name, str(archive))
    if path.exists():
        raise PackageError(f"'{archive}': the entry {member.name!r} is there twice.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise PackageError(f"'{archive}': the entry {member.name!r} lies in a file.") from error
    try:
        content = tar.extractfile(member)
        with path.open("xb") as file:
            shutil.copyfileobj(content, file)  # type: ignore[arg-type] # None is for entries that are no files
    except _TAR_ERRORS as error:
        raise _cut_off(archive, member.name) from error
    if path.stat().st_size != member.size:
        raise _cut_off(archive, member.name)
