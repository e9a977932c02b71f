"""The other end of `edgewright_runtime.worker`: a process with one engine in it, as an object."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, Self

from edgewright_runtime.wire import PROTOCOL, WireError, pack_samples, receive, send

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# Compiling a large graph for a new shape takes a provider minutes at worst; a worker silent for longer is stuck.
TIMEOUT_SECONDS = 900.0
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

    machine: dict[str, Any]
    # Of all samples answered so far.
    said: Said

    def keep(self, samples: Sequence[Any]) -> None:
        """Give it its samples."""

    def load(self, package: PurePath, engine: str | None, threads: int | None) -> tuple[float, dict[str, Any]]:
        """Activate an engine; None is the one that the package prefers there."""

    def answer(self, indices: Sequence[int]) -> list[Arrays]:
        """Outputs of these samples."""

    def time(self, indices: Sequence[int]) -> Turn:
        """Seconds of a call for each of these samples."""

    def verify(self, package: PurePath, engine: str | None, *, strict: bool) -> dict[str, Any]:
        """Check a package there."""

    def peak_memory_bytes(self) -> int:
        """Peak resident memory, 0 where it is not known."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(self, *_: object) -> None:
        """End it."""


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
            hello = self._request({"op": "hello"})[0]
        except WorkerError:
            self.close()
            raise
        if hello["protocol"] != PROTOCOL:
            self.close()
            raise WorkerError(f"The worker speaks protocol {hello['protocol']}, this side {PROTOCOL}.")
        # Facts about the machine the worker runs on, as plain data of `HostFacts`.
        self.machine: dict[str, Any] = hello["machine"]

    def keep(self, samples: Sequence[Any]) -> None:
        """Give the worker its samples; later calls name them by index."""
        plain, arrays = pack_samples(list(samples), paths=self._sees_files)
        self._request({"op": "samples", "samples": plain}, arrays)

    def load(
        self, package: PurePath, engine: str | None, threads: int | None, *, emulate: bool = False
    ) -> tuple[float, dict[str, Any]]:
        """Open a package and activate an engine; gives the seconds to the first answer, and what runs where.

        Without an engine the first in the package's order that can run there does.
        """
        request = {"op": "load", "package": str(package), "engine": engine, "threads": threads, "emulate": emulate}
        answer = self._request(request)[0]
        return float(answer["seconds"]), answer["engine"]

    def answer(self, indices: Sequence[int]) -> list[Arrays]:
        """The graph's outputs for these samples, and answers that are more than outputs under `samples.ANSWER`."""
        made, facts = self._arrays("answer", indices)
        # A sample of which two sentences of a kind are said counts once.
        for kind, _ in {(kind, index): None for index, kind, _ in facts["said"]}:
            first = next(sentence for _, one, sentence in facts["said"] if one == kind)
            self.said.add({kind: (1, first)})
        return made

    def feeds(self, indices: Sequence[int]) -> list[Arrays]:
        """What the graph is given for these samples."""
        return self._arrays("feeds", indices)[0]

    def _arrays(self, operation: str, indices: Sequence[int]) -> tuple[list[Arrays], dict[str, Any]]:
        facts, arrays = self._request({"op": operation, "indices": list(indices)})
        found: dict[int, Arrays] = {index: {} for index in indices}
        for key, value in arrays.items():
            index, _, name = key.partition("/")
            found[int(index)][name] = value
        return [found[index] for index in indices], facts

    def time(self, indices: Sequence[int]) -> Turn:
        """Seconds of a call for each of these samples, after one that is not counted."""
        answer = self._request({"op": "time", "indices": list(indices)})[0]
        return Turn(tuple(map(float, answer["seconds"])), float(answer["busy"]))

    def verify(self, package: PurePath, engine: str | None, *, strict: bool) -> dict[str, Any]:
        """The self-test of a package: the fields of `SelfTestReport`, or an error of the kind `check`."""
        return self._request({"op": "verify", "package": str(package), "engine": engine, "strict": strict})[0]

    def peak_memory_bytes(self) -> int:
        """Peak resident memory of the worker so far."""
        return int(self._request({"op": "memory"})[0]["peak_bytes"])

    def _request(self, message: dict[str, Any], arrays: Arrays | None = None) -> tuple[dict[str, Any], Arrays]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # Killing the process ends the read below, which a signal or a socket timeout would not do on a pipe.
        watchdog = threading.Timer(self._timeout, self._end_stuck)
        # Ctrl-C may come at any moment, between two lines too: nothing waits for a watchdog that was not called off.
        watchdog.daemon = True
        try:
            watchdog.start()
            send(self._process.stdin, message, arrays)
            answer, made = receive(self._process.stdout)
        except (WireError, OSError) as error:
            raise self._death(message["op"]) from error
        finally:
            watchdog.cancel()
        if not answer.pop("ok"):
            raise WorkerError(str(answer["error"]), str(answer.get("kind", "")))
        return answer, made

    def _end_stuck(self) -> None:
        self._timed_out = True
        self._process.kill()

    def _death(self, operation: str) -> WorkerError:
        if self._timed_out:
            return WorkerError(
                f"The engine did not answer '{operation}' within {self._timeout:.0f} seconds and was ended."
            )
        code = self._process.wait(timeout=10)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        if code == self._connection_code:
            return ConnectionLostError(lines[-1] if lines else "The connection ended.")
        # A shell says 128 and the signal where a process of its own was ended by one.
        by_signal = -code if code < 0 else code - 128 if self._connection_code is not None and code > 128 else 0
        ended = f"by signal {by_signal}" if by_signal else f"with exit code {code}"
        last = f" Its last words: {lines[-1]}" if lines else ""
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
