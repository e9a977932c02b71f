"""Stages cached by content: the folder of a stage is named by a digest of everything that decides what is in it.

A stage writes into a folder aside, which is renamed when it is whole; so what has its final name is complete, a kill
leaves nothing broken, and a rerun goes on after the last whole stage. Two builds at once wait for each other's stage
instead of doing it twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock

from edgewright_runtime.archive import cache_folder
from edgewright_targets import InputError

_STAGES = "stages"
_BESIDE = ".aside"


def digest_of(parts: Mapping[str, Any]) -> str:
    """SHA-256 of plain data, the same for the same content whatever the order of keys."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def tool_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Installed versions of these distributions; a missing one is left out."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


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

    def get(self, stage: str, parts: Mapping[str, Any], make: Callable[[Path], None]) -> tuple[Path, bool]:
        """The folder of a stage, made by `make(folder)` unless it is there; also tells whether it was.

        Args:
            stage: Name of the stage, also a folder.
            parts: All that decides the content, as plain data.
            make: Fills the empty folder it is given; whatever it raises leaves nothing behind.
        """
        key = digest_of(parts)
        final = self.root / _STAGES / stage / key
        if final.is_dir():
            os.utime(final)
            return final, True
        final.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._beside() / f"{stage}-{key[:32]}.lock"):
            if final.is_dir():
                return final, True
            with self._aside() as folder:
                make(folder)
                sync_tree(folder)
                folder.rename(final)
        return final, False

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for temporary files on the same disk; removed afterwards."""
        with self._aside() as folder:
            yield folder

    def entries(self) -> list[CacheEntry]:
        """Everything that is whole, oldest use first."""
        found = [
            CacheEntry(stage.name, entry.name, _tree_bytes(entry), entry.stat().st_mtime)
            for stage in _folders(self.root / _STAGES)
            for entry in _folders(stage)
        ]
        unpacked = _folders(self.root / "unpacked")
        found += [CacheEntry("unpacked", entry.name, _tree_bytes(entry), entry.stat().st_mtime) for entry in unpacked]
        return sorted(found, key=lambda entry: entry.used)

    def clear(self, *, older_than_seconds: float = 0) -> tuple[int, int]:
        """Remove entries not used for so long; gives how many and how many bytes."""
        now = time.time()
        count = freed = 0
        for entry in self.entries():
            if now - entry.used >= older_than_seconds:
                base = self.root if entry.stage == "unpacked" else self.root / _STAGES
                shutil.rmtree(base / entry.stage / entry.key, ignore_errors=True)
                count, freed = count + 1, freed + entry.bytes
        self._sweep()
        return count, freed

    def _beside(self) -> Path:
        folder = self.root / _BESIDE
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The cache folder '{self.root}' cannot be written: {error}.",
                hint="Set XDG_CACHE_HOME to a folder that can.",
            ) from error
        return folder

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        self._sweep()
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=self._beside()))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed processes left behind."""
        for folder in _folders(self._beside()):
            owner = folder.name.split("-")[0]
            if owner.isdigit() and not _alive(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _tree_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def sync_tree(folder: Path) -> None:
    """Make sure that every file below `folder` is on the disk before the folder gets its final name."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
