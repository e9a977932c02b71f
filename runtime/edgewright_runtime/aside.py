"""Folders for work that is not finished: beside the place of the result, and gone whatever happens to their maker.

The maker holds a lock on its folder while it lives; the system lets go of it at any kind of death. So what another
process can lock is left over, and is removed. Process numbers would not do: they are given to new processes, and mean
nothing in another container that shares the disk.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

_SUFFIX = ".tmp"


@contextlib.contextmanager
def folder_aside(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder `<prefix><random>.tmp` in `parent`; removed afterwards, unless it was renamed by then.

    What killed processes left of the same prefix is removed first.
    """
    sweep(parent, prefix)
    # Named before it is made: an interruption at any moment from here on still finds what to remove.
    folder, lock = _new_name(parent, prefix), None
    try:
        while True:
            folder.mkdir()
            try:
                lock = _lock(folder)
            except (BlockingIOError, FileNotFoundError):
                # Between these two lines another process took the folder for left over, and removes it.
                folder = _new_name(parent, prefix)
                continue
            except OSError:
                # A disk without locks: nothing is swept there either.
                lock = None
            if folder.is_dir():
                break
            if lock is not None:
                os.close(lock)
                lock = None
            folder = _new_name(parent, prefix)
        # What is renamed from here is for everyone who may read there, whatever the maker's umask.
        folder.chmod(0o755)
        yield folder
    finally:
        _remove(folder)
        if lock is not None:
            os.close(lock)


def _new_name(parent: Path, prefix: str) -> Path:
    return parent / f"{prefix}{secrets.token_hex(8)}{_SUFFIX}"


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def sweep(parent: Path, prefix: str) -> None:
    """Remove the folders of this prefix in `parent` whose makers are gone."""
    for folder in parent.iterdir():
        if not (folder.name.startswith(prefix) and folder.name.endswith(_SUFFIX)):
            continue
        # Gone, held by its maker, or on a disk without locks: not ours to remove.
        with contextlib.suppress(OSError):
            lock = _lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[bool]:
    """While this lasts, `remove_unheld` lets the folder be; several processes may hold one.

    Tells whether it was there, after waiting for one that removes it. What another process makes anew just then is not
    held. Nothing is held where the disk has no locks.
    """
    descriptor: int | None = None
    there = True
    try:
        descriptor = _lock(folder, shared=True)
    except FileNotFoundError:
        there = False
    except OSError:
        # A disk without locks: nothing is removed there either.
        descriptor = None
    try:
        yield there
    finally:
        if descriptor is not None:
            os.close(descriptor)


def remove_unheld(folder: Path, prefix: str) -> bool:
    """Remove a folder unless a process holds it; tells whether it is gone.

    Args:
        folder: It.
        prefix: As of `folder_aside` in the same parent: what a kill leaves of it is swept there.

    Raises:
        OSError: It cannot be removed, or not be locked, so that nobody knows whether it is held.
    """
    try:
        lock = _lock(folder)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    try:
        # It loses its name first: half of it must not look whole.
        gone = _new_name(folder.parent, prefix)
        folder.rename(gone)
    except FileNotFoundError:
        # Another process removed it meanwhile.
        return True
    else:
        shutil.rmtree(gone)
    finally:
        if lock is not None:
            os.close(lock)
    return True


def _lock(folder: Path, *, shared: bool = False) -> int | None:
    """A descriptor that holds the lock of `folder`; None where the system has no such locks.

    Args:
        folder: It.
        shared: Beside others, and after waiting for one who removes it; otherwise alone and at once.

    Raises:
        BlockingIOError: Another process holds it.
        FileNotFoundError: It is gone, also where that happened while this waited.
        OSError: It cannot be locked.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    while True:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.path.samestat(os.fstat(descriptor), folder.stat())
        except BaseException:
            os.close(descriptor)
            raise
        if same:
            return descriptor
        # Between opening and locking one process removed the folder, and another made it anew: that one counts.
        os.close(descriptor)
