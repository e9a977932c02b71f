"""A device that ssh reaches: what it needs is copied there, workers run there, nothing stays unless it was asked for.

from edgewright_benchmarks.devices.ssh import SshDevice

with SshDevice("ssh://pi@kitchen", progress) as device:
    device.send(package, target=None)
    with device.worker() as worker: ...
"""

from __future__ import annotations

import secrets
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from importlib import metadata
from pathlib import Path, PurePath, PurePosixPath
from typing import Self

from edgewright_benchmarks.devices.address import DeviceAddress
from edgewright_benchmarks.devices.connection import CONNECTION_CODE, SshClient
from edgewright_benchmarks.devices.copying import copy_parts
from edgewright_benchmarks.devices.engine_worker import ConnectionLostError, WorkerError
from edgewright_benchmarks.devices.fit import check_memory, target_for
from edgewright_benchmarks.devices.parts import Part, package_part, runtime_part, wheels_part
from edgewright_benchmarks.devices.remote import RemoteWorker
from edgewright_benchmarks.devices.responses import DeviceFacts, Locked
from edgewright_benchmarks.devices.session import FarEndSession
from edgewright_benchmarks.devices.wheels import download, needed, unfit
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.progress import Progress
from edgewright_runtime import Package
from edgewright_runtime.providers import PLUGINS
from edgewright_runtime.responses import Done
from edgewright_runtime.steps import STEPS
from edgewright_targets import HostFacts, InputError

# Waits before the tries to connect again, in seconds: a router that starts anew is back within a minute.
RETRY_SECONDS: tuple[float, ...] = (1, 2, 4, 8, 15, 30)
# Ever so many times a connection may end and come back; beyond it something else is wrong.
_LOSSES = 20
# The far end waits for us to come back for longer than we try, and then cleans up by itself.
_GRACE_SECONDS = 2 * sum(RETRY_SECONDS)


class SshDevice:
    """A session on a device; use it in a `with` block. See `Device` for what a meter asks of it.

    Args:
        url: See `DeviceAddress`.
        progress: Told how far it is.
        keep: Leave there what was copied, so that the next session need not send it again.

    Attributes:
        machine: Facts about it, once something was sent.
        versions: Of the runtime's libraries there, once something was sent.
        target: The target whose engines were sent.
    """

    machine: HostFacts
    versions: dict[str, str]
    target: str
    _facts: DeviceFacts

    def __init__(self, url: str, progress: Progress, *, keep: bool = False) -> None:
        self._address = DeviceAddress.parse(url)
        self._name = str(self._address)
        self._progress = progress
        self._keep = keep
        self._client = SshClient(self._address, secrets.token_hex(16))
        self._session: FarEndSession | None = None
        self._parts: list[Part] = []
        self._losses = 0
        self._wheels = tempfile.TemporaryDirectory(prefix="edgewright-wheels-", ignore_cleanup_errors=True)

    def __enter__(self) -> Self:
        try:
            self._connect()
        except ConnectionLostError as error:
            self.close()
            raise InputError(f"Device '{self._name}' cannot be reached. {error}", hint=error.hint) from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, package: Package, target: str | None = None) -> None:
        """Copy what the engines for one target need, and the runtime.

        Raises:
            InputError: No engine is for this device, it lacks room, or its libraries cannot be had.
        """
        facts, name = self._facts, self._name
        self.target = target_for(package, target, facts, name)
        check_memory(package, self.target, facts, name)
        self.versions = dict(facts.versions)
        libraries = needed(package.manifest.pipeline.step_names())
        lacking = unfit(self.versions, libraries)
        parts = [runtime_part()]
        if lacking:
            parts.append(wheels_part(download(lacking, facts, Path(self._wheels.name), name, self._progress)))
            self.versions |= {library: metadata.version(library) for library in lacking}
        self._parts = [*parts, package_part(package, self.target)]
        try:
            self._copy()
        except ConnectionLostError as lost:
            self._reconnect(lost)
        try:
            with self.worker() as worker:
                self.machine = worker.machine
        except WorkerError as error:
            raise InputError(f"The runtime does not start on device '{name}': {error}") from error

    def worker(self) -> RemoteWorker:
        """A new worker there."""
        return RemoteWorker(self)

    def to_itself(self, progress: Progress) -> AbstractContextManager[None]:
        """The session has the device to itself from its beginning to its end."""
        del progress
        return nullcontext()

    def path_of(self, package: PurePath) -> PurePath:
        """Where the package that was sent lies there."""
        del package
        return self._folder / self._parts[-1].name

    @property
    def name(self) -> str:
        """For messages."""
        return self._name

    @property
    def _folder(self) -> PurePosixPath:
        return PurePosixPath(self._facts.folder)

    def start(self) -> WorkerProcess:
        """A process of a worker there, which does not outlive a lost connection."""
        assert self._session is not None
        folders = [str(self._folder / part.name) for part in self._parts[:-1]]
        command = self._client.worker(self._session.python, folders)
        return WorkerProcess(command=command, connection_code=CONNECTION_CODE)

    def recover(self) -> None:
        """Have a connection again after a worker lost its own.

        Raises:
            InputError: It stays away.
        """
        assert self._session is not None
        # A worker's own session may end alone; what its client prints about a shared connection does not say why.
        try:
            self._session.ask(Done, {"op": "ping"}, timeout=15)
        except ConnectionLostError as error:
            self._reconnect(error)

    def _connect(self) -> None:
        self._session = session = FarEndSession(self._client, self._name)
        hello = {"op": "hello", "workdir": self._address.workdir, "keep": self._keep, "grace": _GRACE_SECONDS}
        self._facts = session.ask(DeviceFacts, {**hello, "libraries": [*needed(STEPS), *PLUGINS]})
        if not session.ask(Locked, {"op": "lock", "wait": False}).locked:
            self._progress.note(f"Another measurement is running on {self._name}; waiting for it to end ...")
            session.ask(Locked, {"op": "lock", "wait": True}, timeout=None)

    def _reconnect(self, lost: ConnectionLostError) -> None:
        self._losses += 1
        tries = RETRY_SECONDS if self._losses <= _LOSSES else ()
        for number, seconds in enumerate(tries, 1):
            if lost.lasting:
                break
            again = f"trying again in {seconds:g} s ({number} of {len(tries)})"
            self._progress.note(f"The connection to {self._name} is lost; {again}. {lost}")
            time.sleep(seconds)
            self._end_session()
            try:
                self._connect()
                # Nothing is sent where all of it is there still.
                self._copy()
            except ConnectionLostError as error:
                lost = error
                continue
            self._progress.note(f"Connected to {self._name} again.")
            return
        self._end_session()
        waited = f"within {sum(tries):g} seconds" if self._losses <= _LOSSES else f"after {_LOSSES} times"
        raise InputError(
            f"The connection to device '{self._name}' was lost and did not come back {waited}. {lost}", hint=lost.hint
        )

    def _copy(self) -> None:
        assert self._session is not None
        copy_parts(self._session, self._parts, self._facts.folder, self._name, self._progress)

    def _end_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def close(self) -> None:
        """Clean up there, unless it was to be kept, and end the connection."""
        try:
            self._say_goodbye()
        except (WorkerError, InputError):
            self._progress.note(
                f"{self._name} was not cleaned up; it cleans up on its own within {_GRACE_SECONDS:g} s."
            )
        finally:
            self._end_session()
            self._client.close()
            self._wheels.cleanup()

    def _say_goodbye(self) -> None:
        # Without one the device never came, or did not come back.
        if self._session is None:
            return
        if not self._session.alive():
            # Interrupted between a request and its answer, or lost just now.
            self._end_session()
            self._connect()
        self._session.ask(Done, {"op": "bye"}, timeout=60)
