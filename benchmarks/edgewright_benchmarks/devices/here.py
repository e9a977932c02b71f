"""This machine as a device."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import PurePath

from filelock import FileLock, Timeout

from edgewright_benchmarks.devices.engine_worker import EngineWorker
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.progress import Progress
from edgewright_runtime.cache_folder import cache_folder
from edgewright_targets import InputError, host_facts


class ThisMachine:
    """Workers are processes beside this one; see `Device`."""

    def __init__(self) -> None:
        self.machine = host_facts()

    def worker(self) -> EngineWorker:
        """A new worker."""
        return WorkerProcess()

    def to_itself(self, progress: Progress) -> contextlib.AbstractContextManager[None]:
        """Waits for other measurements of this user."""
        return machine_to_itself(progress)

    def path_of(self, package: PurePath) -> PurePath:
        """The package's own path: nothing is sent."""
        return package


@contextlib.contextmanager
def machine_to_itself(progress: Progress) -> Iterator[None]:
    """Wait until no other measurement runs on this machine (for this user): two at once would falsify both."""
    folder = cache_folder()
    lock = FileLock(folder / "measure.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = _try(lock)
    except OSError as error:
        raise InputError(
            f"The cache folder '{folder}' cannot be written: {error.strerror}.",
            hint="Set XDG_CACHE_HOME to a writable folder.",
        ) from error
    if not free:
        progress.note("Another measurement is running on this machine; waiting for it to end ...")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _try(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
