"""A package as one file for transport: a plain tar, the same bytes for the same package, and safe to unpack.

`SHA256SUMS` comes first, so that an archive is known by its first kilobytes: its digest names the folder in the cache
where the archive is unpacked, once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from edgewright_runtime.errors import DamagedPackageError, PackageError
from edgewright_runtime.package import SUMS, Package, checked_path

_SUMS_LIMIT_BYTES = 16 * 2**20


def write_archive(package: Path, archive: Path) -> None:
    """Write the package folder as one tar file, atomically; owner, times and modes are fixed."""
    files = sorted(path for path in package.rglob("*") if path.is_file())
    files.sort(key=lambda path: path.name != SUMS)
    descriptor, temporary = tempfile.mkstemp(dir=archive.parent, prefix=f".{archive.name}.", suffix=".tmp")
    try:
        with (
            os.fdopen(descriptor, "wb") as raw,
            tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for path in files:
                info = tarfile.TarInfo(str(PurePosixPath(path.relative_to(package))))
                info.size = path.stat().st_size
                info.mode = 0o644
                with path.open("rb") as content:
                    tar.addfile(info, content)
            raw.flush()
        Path(temporary).chmod(0o644)
        Path(temporary).replace(archive)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def cache_folder() -> Path:
    """Edgewright's folder under the XDG cache folder (`~/.cache/edgewright`); not created."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "edgewright"


def unpacked(archive: Path) -> Path:
    """The folder of an archive's content, in the cache; unpacked and checked against its digests the first time.

    Raises:
        PackageError: Not an archive of a package, or one with entries that a package cannot have.
        DamagedPackageError: Cut off, or changed after it was made.
    """
    try:
        with tarfile.open(archive, mode="r:") as tar:
            first = tar.next()
            if first is None or first.name != SUMS or first.size > _SUMS_LIMIT_BYTES:
                raise PackageError(
                    f"'{archive}' is no archive of a package: {SUMS} is not its first entry.",
                    hint="Archives are made with 'edgewright build ... --archive'.",
                )
            content = tar.extractfile(first)
            key = hashlib.sha256(content.read() if content else b"").hexdigest()
            folder = cache_folder() / "unpacked" / key
            if not folder.is_dir():
                _unpack(tar, archive, folder)
    except (tarfile.TarError, EOFError) as error:
        raise DamagedPackageError(
            f"'{archive}' cannot be unpacked: {error}.", hint="The file is cut off or no package; copy it again."
        ) from error
    return folder


def _unpack(tar: tarfile.TarFile, archive: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".unpack-"))
    try:
        for member in tar.getmembers():
            _unpack_member(tar, member, archive, temporary)
        Package(temporary, Package.open(temporary).manifest).check_digests()
        try:
            temporary.rename(folder)
        except OSError:
            # Another process unpacked the same archive at the same time; its folder holds the same bytes.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, archive: Path, folder: Path) -> None:
    if not member.isfile():
        raise PackageError(f"'{archive}': the entry {member.name!r} is no plain file; packages hold plain files only.")
    free = shutil.disk_usage(folder).free
    if member.size > free:
        raise PackageError(
            f"'{archive}': {member.name!r} needs {member.size} bytes, {free} are free in the cache folder.",
            hint="Free some space ('edgewright cache clear'), or set XDG_CACHE_HOME to a larger disk.",
        )
    path = checked_path(folder, member.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    if content is None or path.exists():
        raise PackageError(f"'{archive}': the entry {member.name!r} is there twice or has no content.")
    with path.open("xb") as file:
        shutil.copyfileobj(content, file)
    if path.stat().st_size != member.size:
        raise DamagedPackageError(f"'{archive}' is cut off in {member.name!r}.", hint="Copy the file again.")
