"""Stages cached by content: the folder of a stage is named by a digest of everything that decides what is in it.

A stage writes into a folder aside, which is renamed when it is whole; so what has its final name is complete, a kill
leaves nothing broken, and a rerun goes on after the last whole stage. Two builds at once wait for each other's stage
instead of doing it twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from edgewright_runtime.aside import folder_aside, sweep
from edgewright_runtime.cache_folder import BLOBS, ENGINES, FINISHED, TIMING, UNPACKED, cache_folder
from edgewright_runtime.package_files import file_digest, folder_bytes
from edgewright_targets import InputError

_STAGES = "stages"
_BESIDE = ".aside"
_BUILT = "built"
_PREFIX = "stage-"
# Folders of entries that are not stages of a build.
_APART = (UNPACKED, ENGINES, BLOBS)


def digest_of(parts: Mapping[str, object]) -> str:
    """SHA-256 of plain data, the same for the same content whatever the order of keys."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class CacheEntry:
    """One whole stage in the cache: which stage, its key, bytes on disk, time of its last use (seconds since 1970)."""

    stage: str
    key: str
    bytes: int
    used: float


class StageCache:
    """The stages under a folder, by default `edgewright/` in the XDG cache folder."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = cache_folder() if root is None else root

    def get(
        self,
        stage: str,
        parts: Mapping[str, object],
        make: Callable[[Path], None],
        *,
        damaged: Callable[[Path], None] | None = None,
    ) -> tuple[Path, bool]:
        """The folder of a stage, made by `make(folder)` unless it is there; also tells whether it was.

        Args:
            stage: Name of the stage, also a folder.
            parts: All that decides the content, as plain data.
            make: Fills the empty folder it is given; whatever it raises leaves nothing behind.
            damaged: Given where the files of the stage must be those that were written: their digests are compared,
                and a stage with others is removed and made anew after `damaged(folder)` was called. Not for stages
                whose files change where they are used, such as the system of an emulator.
        """
        found = self.find(stage, parts)
        if found is not None and (damaged is None or _is_whole(found)):
            return found, True
        key = digest_of(parts)
        final = self._final(stage, parts)
        with FileLock(self._beside() / f"{stage}-{key[:32]}.lock"):
            if final.is_dir():
                if damaged is None or _is_whole(final):
                    return final, True
                damaged(final)
                self._remove(final)
            with self.scratch() as folder:
                make(folder)
                sync_tree(folder)
                final.parent.mkdir(parents=True, exist_ok=True)
                # First: without its folder it is not looked at, and a stage without it counts as damaged.
                _sums(final).write_text(digest_of(_digests(folder)), encoding="utf-8")
                folder.rename(final)
        return final, False

    def _remove(self, folder: Path) -> None:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise InputError(
                f"The stage '{folder}' in the cache is damaged and cannot be removed: {error.strerror}.",
                hint="Remove it, or clear the cache with: edgewright cache clear",
            ) from error

    def find(self, stage: str, parts: Mapping[str, object]) -> Path | None:
        """The folder of a stage if it is there."""
        final = self._final(stage, parts)
        if not final.is_dir():
            return None
        # The time of last use is for `clear`; a cache that cannot be written can still be read.
        with contextlib.suppress(OSError):
            os.utime(final)
        return final

    def _final(self, stage: str, parts: Mapping[str, object]) -> Path:
        return self.root / _STAGES / stage / digest_of(parts)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for temporary files on the same disk; removed afterwards."""
        with folder_aside(self._beside(), _PREFIX) as folder:
            yield folder

    def note(self, name: str) -> object:
        """The plain data kept as `name` by `keep_note`; None where there is none."""
        try:
            found: object = json.loads((self.root / _BUILT / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def keep_note(self, name: str, data: object) -> None:
        """Keep plain data as `name`; what cannot be kept is only missed later."""
        with contextlib.suppress(OSError), self.scratch() as folder:
            made = folder / "note.json"
            made.write_text(json.dumps(data), encoding="utf-8")
            (self.root / _BUILT).mkdir(parents=True, exist_ok=True)
            made.replace(self.root / _BUILT / f"{name}.json")

    def entries(self) -> list[CacheEntry]:
        """Everything that is whole, oldest use first."""
        found = [
            CacheEntry(stage.name, entry.name, *_size_and_use(entry))
            for stage in (*_folders(self.root / _STAGES), *(self.root / name for name in _APART))
            for entry in _folders(stage)
        ]
        return sorted(found, key=lambda entry: entry.used)

    def clear(self, *, older_than_seconds: float = 0) -> tuple[int, int]:
        """Remove entries not used for so long; gives how many and how many bytes."""
        now = time.time()
        count = freed = 0
        for entry in self.entries():
            if now - entry.used < older_than_seconds:
                continue
            base = self.root if entry.stage in _APART else self.root / _STAGES
            folder = base / entry.stage / entry.key
            shutil.rmtree(folder, ignore_errors=True)
            if folder.exists():
                raise InputError(f"'{folder}' cannot be removed. {count} entries were removed before it.")
            _sums(folder).unlink(missing_ok=True)
            count, freed = count + 1, freed + entry.bytes
        if not older_than_seconds:
            for name in (_BUILT, FINISHED, TIMING):
                shutil.rmtree(self.root / name, ignore_errors=True)
        aside = ((_BESIDE, _PREFIX), *((name, ".") for name in _APART))
        for folder, prefix in ((self.root / name, prefix) for name, prefix in aside):
            if folder.is_dir():
                sweep(folder, prefix)
        return count, freed

    def _beside(self) -> Path:
        folder = self.root / _BESIDE
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The cache folder '{self.root}' cannot be written: {error.strerror}.",
                hint="Set XDG_CACHE_HOME to a writable folder.",
            ) from error
        return folder


def _sums(folder: Path) -> Path:
    """The file beside a stage with the digest of its files."""
    return folder.with_name(f"{folder.name}.sha256")


def _digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): file_digest(path) for path in folder.rglob("*") if path.is_file()}


def _is_whole(folder: Path) -> bool:
    """Whether a stage has the files that were written into it, with the same bytes."""
    try:
        return _sums(folder).read_text(encoding="utf-8") == digest_of(_digests(folder))
    except (OSError, ValueError):
        return False


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _size_and_use(folder: Path) -> tuple[int, float]:
    size, used = 0, 0.0
    # Another process may be removing the same entry just now.
    with contextlib.suppress(OSError):
        used = folder.stat().st_mtime
        size = folder_bytes(folder)
    return size, used


def sync_tree(folder: Path) -> None:
    """Make sure that every file below `folder` is on the disk before the folder gets its final name."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
