"""What the far end on a device sends back, one frozen dataclass for each operation; nothing in it is trusted."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_targets.record import RecordError


@dataclass(frozen=True, kw_only=True)
class DeviceFacts:
    """Of `hello`: facts about the device that decide what is copied there.

    Attributes:
        folder: Where everything is copied to.
        python: Version of Python.
        implementation: Such as `cpython`.
        architecture: As `uname -m` prints it.
        system: Operating system.
        libc: Name and version of the C library, empty where it is not known.
        emulated: An emulator pretends to be this device.
        model: What the firmware says the board is, empty where it says nothing.
        versions: Library to its version, of those that are installed.
        memory_bytes: Free memory, 0 where it is not known.
    """

    folder: str
    python: str
    implementation: str
    architecture: str
    system: str
    libc: str
    emulated: bool
    model: str
    versions: dict[str, str]
    memory_bytes: int

    def __post_init__(self) -> None:
        _check_counts(memory_bytes=self.memory_bytes)
        # It becomes a part of commands, which no system takes with a zero byte.
        if not self.folder.startswith("/") or not self.folder.isprintable():
            raise RecordError(f"its response: folder is {self.folder[:100]!r}; expected an absolute path.")


@dataclass(frozen=True)
class Locked:
    """Of `lock`: whether the folder is this session's now."""

    locked: bool


@dataclass(frozen=True)
class Copied:
    """Of `have`: whether a folder is whole, else the bytes of each file there, and the free bytes of the disk."""

    whole: bool
    have: dict[str, int]
    free_bytes: int

    def __post_init__(self) -> None:
        _check_counts(free_bytes=self.free_bytes, have=min(self.have.values(), default=0))


@dataclass(frozen=True)
class Checked:
    """Of `finish`: the files whose digest is wrong."""

    wrong: tuple[str, ...]


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 0:
            raise RecordError(f"its response: {name} is negative.")
