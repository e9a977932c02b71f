"""The other end of `edgewright_runtime.worker`: a process with one engine in it, as an object."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Protocol, Self, TypeVar

from edgewright_benchmarks.predictions import Prediction, prediction_from_arrays
from edgewright_runtime.responses import (
    Answered,
    Done,
    Hello,
    Loaded,
    Memory,
    Refused,
    ResponseError,
    Timed,
    read_response,
)
from edgewright_runtime.wire import PROTOCOL, RESPONSE_LIMIT_BYTES, WireError, pack_samples, receive, send
from edgewright_targets import HostFacts
from edgewright_targets.record import RecordError

if TYPE_CHECKING:
    from edgewright_runtime.selftest import SelfTestReport
    from edgewright_runtime.wire import Arrays

T = TypeVar("T")

# Compiling a large graph for a new shape takes a provider minutes at worst; a worker silent for longer is stuck.
TIMEOUT_SECONDS = 900.0
# What is read of the end of standard error, and shown of its last line: a traceback's last line is some words.
_ERRORS_BYTES = 64 * 2**10
_WORDS_LIMIT = 1000
# -P: a file of the user's own that is called numpy.py must not be taken for the library.
WORKER_COMMAND = (sys.executable, "-P", "-m", "edgewright_runtime.worker")


@dataclass
class Said:
    """What was changed about samples before a model had them.

    Attributes:
        kinds: Kind of it to how many samples, and what was said of the first of them.
    """

    kinds: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, kinds: Mapping[str, tuple[int, str]]) -> None:
        """What was said of other samples."""
        for kind, (count, sentence) in kinds.items():
            before, first = self.kinds.get(kind, (0, sentence))
            self.kinds[kind] = (before + count, first)

    def sentences(self, samples: int) -> tuple[str, ...]:
        """For people: of so many samples."""
        return tuple(f"{count:,} of {samples:,} samples: {first}" for count, first in self.kinds.values())


@dataclass(frozen=True)
class Turn:
    """Calls of an engine whose time was taken.

    Attributes:
        seconds: Of each call.
        busy: Processor time of the process, all threads together, over the time that passed, of the middle call. An
            engine that computes is at 1 or above; one below it waited for a processor that others had.
    """

    seconds: tuple[float, ...]
    busy: float


@dataclass(frozen=True)
class Place:
    """Where an engine runs; by default this machine.

    Attributes:
        command: Starts a worker there.
        options: Further arguments of `WorkerProcess.load`.
        facts: What answers there depend on beside the engine, by name; empty for this machine.
    """

    command: tuple[str, ...] = WORKER_COMMAND
    options: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


class WorkerError(Exception):
    """A worker could not do what it was asked; the text says why, for people.

    Attributes:
        kind: `input`: what was asked cannot be done; `check`: a check ran and said no; else a bug, or its death.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class ConnectionLostError(WorkerError):
    """The connection to a worker ended; of the worker itself nothing is known.

    Attributes:
        hint: What the reader can do about it.
        lasting: Trying again would end the same way.
    """

    def __init__(self, message: str, *, hint: str = "", lasting: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.lasting = lasting


class EngineWorker(Protocol):
    """A process with one engine in it, on this machine or elsewhere; `WorkerProcess` describes the methods."""

    machine: HostFacts
    # Of all samples answered so far.
    said: Said

    def keep(self, samples: Sequence[Any]) -> None:
        """Give it its samples."""

    def load(self, package: PurePath, engine: str | None, threads: int | None) -> Loaded:
        """Activate an engine; None is the one that the package prefers there."""

    def answer(self, indices: Sequence[int]) -> list[Prediction]:
        """Predictions for these samples."""

    def time(self, indices: Sequence[int]) -> Turn:
        """Seconds of a call for each of these samples."""

    def verify(self, package: PurePath, engine: str | None, *, strict: bool) -> SelfTestReport:
        """Check a package there."""

    def peak_memory_bytes(self) -> int:
        """Peak resident memory, 0 where it is not known."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(self, *_: object) -> None:
        """End it."""


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session, and what it started: one of these may hold the other end of a pipe."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def exit_code(process: subprocess.Popen[bytes], seconds: float) -> int:
    """The exit code of a process that has so many seconds to end by itself; then it is killed."""
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def last_words(errors: IO[bytes]) -> list[str]:
    """The last lines of what a process wrote to its standard error, which may be of any length."""
    errors.seek(0, 2)
    errors.seek(max(0, errors.tell() - _ERRORS_BYTES))
    return errors.read(_ERRORS_BYTES).decode(errors="replace").strip().splitlines()


class WorkerProcess:
    """One worker on this machine; use it in a `with` block.

    Args:
        command: Starts it; by default this Python. An emulator's command goes here.
        timeout: Seconds that one request may take before the worker is ended.
        connection_code: Exit code of `command` that says that the connection to the worker ended, where there is one.
    """

    def __init__(
        self,
        *,
        command: Sequence[str] = WORKER_COMMAND,
        timeout: float = TIMEOUT_SECONDS,
        connection_code: int | None = None,
    ) -> None:
        self._timeout = timeout
        # Elsewhere, or in an emulator, this machine's files may not be there: they are sent.
        self._sees_files = tuple(command) == WORKER_COMMAND
        self._connection_code = connection_code
        self._timed_out = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close(), lives as long as the process
        self.said = Said()
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Ctrl-C reaches this process, which ends its workers; over a connection they say goodbye first.
            start_new_session=connection_code is not None,
        )
        try:
            self.machine = self._hello().machine
        except WorkerError:
            self.close()
            raise

    def _hello(self) -> Hello:
        data, _ = self._exchange({"op": "hello"})
        # The number first: another protocol has keys that this reader does not know.
        if data.get("ok") is True and data.get("protocol") != PROTOCOL:
            raise WorkerError(f"The worker speaks protocol {str(data.get('protocol'))[:20]}, this side {PROTOCOL}.")
        return self._read(Hello, data, "hello")

    def keep(self, samples: Sequence[Any]) -> None:
        """Give the worker its samples; later calls name them by index."""
        plain, arrays = pack_samples(list(samples), paths=self._sees_files)
        self._request(Done, {"op": "samples", "samples": plain}, arrays)

    def load(self, package: PurePath, engine: str | None, threads: int | None, *, emulate: bool = False) -> Loaded:
        """Open a package and activate an engine; gives the seconds to the first answer, and what runs where.

        Without an engine the first in the package's order that can run there does.
        """
        request = {"op": "load", "package": str(package), "engine": engine, "threads": threads, "emulate": emulate}
        return self._request(Loaded, request)[0]

    def answer(self, indices: Sequence[int]) -> list[Prediction]:
        """The predictions for these samples."""
        made, facts = self._arrays(Answered, "answer", indices)
        # A sample of which two sentences of a kind are said counts once.
        for kind, _ in {(kind, index): None for index, kind, _ in facts.said}:
            first = next(sentence for _, one, sentence in facts.said if one == kind)
            self.said.add({kind: (1, first)})
        try:
            return [prediction_from_arrays(arrays) for arrays in made]
        except ValueError as error:
            raise self._garbled("answer", str(error)) from error

    def feeds(self, indices: Sequence[int]) -> list[Arrays]:
        """What the graph is given for these samples."""
        return self._arrays(Done, "feeds", indices)[0]

    def _arrays(self, kind: type[T], operation: str, indices: Sequence[int]) -> tuple[list[Arrays], T]:
        facts, arrays = self._request(kind, {"op": operation, "indices": list(indices)})
        found: dict[str, Arrays] = {str(index): {} for index in indices}
        for key, value in arrays.items():
            index, _, name = key.partition("/")
            if index not in found or value.dtype.hasobject or value.dtype.names:
                raise self._garbled(operation, f"it has an array {key[:80]!r} that was not asked for")
            found[index][name] = value
        if any(made.keys() != found[str(indices[0])].keys() for made in found.values()):
            raise self._garbled(operation, "its samples have unlike outputs")
        return [found[str(index)] for index in indices], facts

    def time(self, indices: Sequence[int]) -> Turn:
        """Seconds of a call for each of these samples, after one that is not counted."""
        timed = self._request(Timed, {"op": "time", "indices": list(indices)})[0]
        if len(timed.seconds) != len(indices):
            raise self._garbled("time", f"it has {len(timed.seconds)} times of {len(indices)} calls")
        return Turn(timed.seconds, timed.busy)

    def verify(self, package: PurePath, engine: str | None, *, strict: bool) -> SelfTestReport:
        """The self-test of a package, or an error of the kind `check`."""
        from edgewright_runtime.selftest import SelfTestReport

        request = {"op": "verify", "package": str(package), "engine": engine, "strict": strict}
        return self._request(SelfTestReport, request)[0]

    def peak_memory_bytes(self) -> int:
        """Peak resident memory of the worker so far."""
        return self._request(Memory, {"op": "memory"})[0].peak_bytes

    def _request(self, kind: type[T], message: dict[str, Any], arrays: Arrays | None = None) -> tuple[T, Arrays]:
        data, made = self._exchange(message, arrays)
        return self._read(kind, data, message["op"]), made

    def _read(self, kind: type[T], data: dict[str, Any], operation: str) -> T:
        try:
            response = read_response(kind, data, "its response")
        except (RecordError, ResponseError) as error:
            raise self._garbled(operation, str(error).splitlines()[0].rstrip(".")) from error
        if isinstance(response, Refused):
            raise WorkerError(response.error, response.kind)
        return response

    def _exchange(self, message: dict[str, Any], arrays: Arrays | None = None) -> tuple[dict[str, Any], Arrays]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # Killing the process ends the read below, which a signal or a socket timeout would not do on a pipe.
        watchdog = threading.Timer(self._timeout, self._end_stuck)
        # Ctrl-C may come at any moment, between two lines too: nothing waits for a watchdog that was not called off.
        watchdog.daemon = True
        try:
            watchdog.start()
            send(self._process.stdin, message, arrays)
            return receive(self._process.stdout, limit_bytes=RESPONSE_LIMIT_BYTES)
        except WireError as error:
            if error.garbled:
                raise self._garbled(message["op"], str(error)) from error
            raise self._death(message["op"]) from error
        except OSError as error:
            raise self._death(message["op"]) from error
        finally:
            watchdog.cancel()

    def _garbled(self, operation: str, what: str) -> WorkerError:
        """The error for a response that no worker of ours sends; the process is ended, as nothing more can be read."""
        self._process.kill()
        return WorkerError(f"The process of the engine sent a response to '{operation}' that cannot be read: {what}.")

    def _end_stuck(self) -> None:
        self._timed_out = True
        if self._connection_code is None:
            self._process.kill()
        else:
            end_group(self._process)

    def _death(self, operation: str) -> WorkerError:
        if self._timed_out:
            return WorkerError(
                f"The engine did not answer '{operation}' within {self._timeout:.0f} seconds and was ended."
            )
        # It may have closed its end, and live on.
        code = exit_code(self._process, 10)
        lines = last_words(self._errors)
        if code == self._connection_code:
            return ConnectionLostError(lines[-1] if lines else "The connection ended.")
        # A shell says 128 and the signal where a process of its own was ended by one.
        by_signal = -code if code < 0 else code - 128 if self._connection_code is not None and code > 128 else 0
        ended = f"by signal {by_signal}" if by_signal else f"with exit code {code}"
        last = f" Its last words: {lines[-1][:_WORDS_LIMIT]}" if lines else ""
        return WorkerError(f"The process of the engine ended {ended} during '{operation}'.{last}")

    def close(self) -> None:
        """End the worker."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
