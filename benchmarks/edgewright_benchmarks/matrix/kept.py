"""The environments in the cache folder: which there are, which is in use, and how to be rid of the others."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgewright_runtime.aside import held, remove_unheld, sweep
from edgewright_runtime.cache_folder import ENVIRONMENTS, cache_folder
from edgewright_runtime.package_files import folder_bytes
from edgewright_targets import InputError
from edgewright_targets.record import RecordError, read_record, write_record

PREFIX: Final = "environment-"
_FACTS: Final = "environment.json"


@dataclass(frozen=True)
class PythonFacts:
    """A Python, of which each environment is one more: its version, the machine, and where it is installed."""

    version: str
    machine: str
    base: str


@dataclass(frozen=True)
class EnvironmentFacts:
    """What is in an environment: its Python, and libraries to their versions."""

    python: PythonFacts
    versions: dict[str, str]


@dataclass(frozen=True)
class KeptEnvironment:
    """An environment in the cache folder.

    Attributes:
        folder: Where.
        facts: What is in it; None where nothing tells.
        bytes: On disk.
        used: When a matrix used it last, in seconds since 1970.
    """

    folder: Path
    facts: EnvironmentFacts | None
    bytes: int
    used: float


@dataclass(frozen=True)
class Removed:
    """What was removed: how many environments, their bytes on disk, and how many others are in use."""

    count: int
    bytes: int
    in_use: int


def environments_folder() -> Path:
    """Where they lie; not created."""
    return cache_folder() / ENVIRONMENTS


def interpreter(folder: Path) -> Path:
    """The Python of an environment, which is whole where it has one."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def python_facts() -> PythonFacts:
    """This Python."""
    return PythonFacts(platform.python_version(), platform.machine(), sys.base_prefix)


def write_facts(folder: Path, versions: dict[str, str]) -> None:
    """Write into an environment that is being made what is in it."""
    facts = EnvironmentFacts(python_facts(), versions)
    (folder / _FACTS).write_text(json.dumps(write_record(facts), indent=2), encoding="utf-8")


def kept_environments() -> list[KeptEnvironment]:
    """All that are there, the oldest use first; those that are being made or removed are left out."""
    found: list[KeptEnvironment] = []
    for folder in environments_folder().glob(f"{PREFIX}*"):
        # Another process may be removing it just now.
        with contextlib.suppress(OSError):
            if not folder.suffix and folder.is_dir():
                found.append(KeptEnvironment(folder, _facts(folder), folder_bytes(folder), folder.stat().st_mtime))
    return sorted(found, key=lambda one: one.used)


def _facts(folder: Path) -> EnvironmentFacts | None:
    try:
        data: object = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        return read_record(EnvironmentFacts, data, _FACTS)
    except (OSError, ValueError, RecordError):
        return None


def kept_versions() -> dict[str, set[str]]:
    """Library to the versions that environments of this Python have."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder in environments_folder().glob(f"{PREFIX}*"):
        if folder.suffix or not interpreter(folder).exists():
            continue
        facts = _facts(folder)
        if facts is not None and facts.python == python_facts():
            for library, version in facts.versions.items():
                found[library].add(version)
    return found


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[bool]:
    """While this lasts, the environment is not removed; tells whether it was still there."""
    with held(folder) as there:
        # The time of last use is for those who clear the cache.
        with contextlib.suppress(OSError):
            os.utime(folder)
        # In this order: what was gone when it was to be held may be there again, and is not held.
        yield there and interpreter(folder).exists()


def remove_environments(*, older_than_seconds: float = 0) -> Removed:
    """Remove the environments that were not used for so long; one that is in use stays.

    Raises:
        InputError: One cannot be removed.
    """
    now = time.time()
    count = freed = used = 0
    for one in kept_environments():
        if now - one.used < older_than_seconds:
            continue
        try:
            removed = remove_unheld(one.folder, PREFIX)
        except OSError as error:
            raise InputError(f"'{one.folder}' cannot be removed: {error.strerror}.") from error
        if removed:
            count, freed = count + 1, freed + one.bytes
        else:
            used += 1
    if environments_folder().is_dir():
        sweep(environments_folder(), PREFIX)
    return Removed(count, freed, used)
