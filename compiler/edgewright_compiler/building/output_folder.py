"""The package folder that a build writes: checked before work begins, filled aside, replaced in one step."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from edgewright_compiler.building.assemble import PackageContents, assemble, publish
from edgewright_compiler.cache import StageCache, digest_of, sync_tree
from edgewright_compiler.disk import disk_reason
from edgewright_runtime.archive import write_archive
from edgewright_runtime.aside import folder_aside
from edgewright_runtime.errors import PackageTooNewError
from edgewright_runtime.package import APPLICATION, MANIFEST, Package
from edgewright_runtime.package_files import SUMS, file_digest
from edgewright_targets import EdgewrightError, InputError


class OutputFolder:
    """Where a package goes.

    Raises:
        InputError: Something else lies there, or the place cannot be written.
    """

    def __init__(self, path: Path, *, archive: bool = False) -> None:
        # `.` and `..` have no name that could be given to another folder.
        self.path = path = path if path.name not in ("", "..") else path.resolve()
        self.archive = path.with_name(f"{path.name}.tar")
        self._archived = archive
        parent = path.absolute().parent
        if path.is_symlink() or path.is_file() or (path.is_dir() and any(path.iterdir()) and not _is_package(path)):
            raise InputError(
                f"'{path}' exists and is not a package folder; it is not overwritten.", hint="Choose another -o."
            )
        if archive and self.archive.exists() and not self.archive.is_file():
            raise InputError(f"'{self.archive}' exists and is not a file; it is not overwritten.")
        if not parent.is_dir():
            raise InputError(f"'{path}' cannot be written: there is no folder '{parent}'.")
        # Tried, not asked: permission bits say nothing about read-only mounts, nor to root.
        try:
            with tempfile.TemporaryFile(dir=parent):
                pass
        except OSError as error:
            raise InputError(f"'{path}' cannot be written: {error.strerror} ('{parent}').") from error

    def holds(self, key: str, cache: StageCache) -> bool:
        """Whether the package of the build called `key` is here, whole and unchanged."""
        try:
            if cache.note(self._note()) != {"key": key, "sums": file_digest(self.path / SUMS)}:
                return False
            Package.open(self.path).check_digests()
        except (OSError, ValueError, EdgewrightError):
            return False
        return True

    @contextlib.contextmanager
    def reserved(self, left: str) -> Iterator[None]:
        """Turn a full or read-only disk during the block into a clear error; `left` says what there is then."""
        try:
            yield
        except EdgewrightError:
            raise
        except Exception as error:
            reason = disk_reason(error)
            if reason is None:
                raise
            raise InputError(
                f"Writing failed: {reason}. {left}",
                hint="Free some space, for example with 'edgewright cache clear', or set XDG_CACHE_HOME to another "
                "disk.",
            ) from error

    def fill(self, key: str, contents: PackageContents, cache: StageCache) -> None:
        """Write the package of the build called `key` aside, then give it its name."""
        sums = self.fill_with(lambda whole: assemble(whole, contents))
        cache.keep_note(self._note(), {"key": key, "sums": sums})

    def fill_with(self, write: Callable[[Path], None]) -> str:
        """Let `write` fill a folder aside, then give it the name; gives the digest of its list of digests."""
        with folder_aside(self.path.absolute().parent, f".{self.path.name}.") as folder:
            whole = folder / "package"
            whole.mkdir()
            write(whole)
            sync_tree(whole)
            sums = file_digest(whole / SUMS)
            self._publish(whole)
        return sums

    def _publish(self, whole: Path) -> None:
        # An older archive beside a newer folder would pass for its archive where the process ends between the two.
        older = whole.with_name("older.tar")
        if self._archived and self.archive.exists():
            self.archive.replace(older)
        try:
            publish(whole, self.path)
        except BaseException:
            if older.exists():
                older.replace(self.archive)
            raise

    def write_archive(self) -> Path:
        """The package as one file beside it; gives its path."""
        write_archive(self.path, self.archive)
        return self.archive

    def _note(self) -> str:
        # Kept in the cache and not in the package, whose bytes are the same wherever it was built.
        return digest_of({"output": str(self.path.absolute())})


def _is_package(path: Path) -> bool:
    # Other things have a manifest.json too. A damaged package of ours still has the list of its files.
    if any((path / name).is_file() for name in (MANIFEST, APPLICATION)) and (path / SUMS).is_file():
        return True
    try:
        Package.open(path)
    except PackageTooNewError:
        return True
    except EdgewrightError:
        return False
    return True
