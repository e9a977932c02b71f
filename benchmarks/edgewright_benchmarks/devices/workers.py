"""The other end of `edgewright_runtime.worker`: a process with one engine in it, as an object."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

from edgewright_benchmarks.child_process import end_group, ended_after, ending, exit_code, last_lines, last_words
from edgewright_benchmarks.devices.engine_worker import WORKER_COMMAND, ConnectionLostError, SampleChanges, WorkerError
from edgewright_benchmarks.predictions import Prediction, prediction_from_arrays
from edgewright_runtime.finished import Finished
from edgewright_runtime.requests import ColdStart, Found, Keep, Load, Samples, TimeTokens, Verify
from edgewright_runtime.responses import (
    Answered,
    ColdStarted,
    Done,
    EnergyRead,
    Hello,
    Loaded,
    Memory,
    Refused,
    ResponseError,
    Timed,
    TokenTimes,
    read_response,
)
from edgewright_runtime.selftest import SelfTestReport
from edgewright_runtime.wire import PROTOCOL, RESPONSE_LIMIT_BYTES, WireError, pack_samples, receive, send
from edgewright_targets.record import RecordError, write_record

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

T = TypeVar("T")

# Compiling a large graph for a new shape takes a provider minutes at worst; a worker silent for longer is stuck.
TIMEOUT_SECONDS = 900.0


class WorkerProcess:
    """One worker on this machine; use it in a `with` block.

    Args:
        command: Starts it; by default this Python. An emulator's command goes here.
        sees_files: It sees the files of this machine, so that only their paths are sent; None is true of this Python
            and false of other commands.
        errors: An open file for what it writes to standard error, which the caller closes; by default its own.
        timeout: Seconds that one request may take before the worker is ended.
        connection_code: Exit code of `command` that says that the connection to the worker ended, where there is one.
    """

    def __init__(
        self,
        *,
        command: Sequence[str] = WORKER_COMMAND,
        sees_files: bool | None = None,
        errors: IO[bytes] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        connection_code: int | None = None,
    ) -> None:
        self._timeout = timeout
        # Elsewhere, or in an emulator, this machine's files may not be there: they are sent.
        self._sees_files = tuple(command) == WORKER_COMMAND if sees_files is None else sees_files
        self._connection_code = connection_code
        self._timed_out = False
        self._shares_errors = errors is not None
        self._errors = errors or tempfile.TemporaryFile()  # noqa: SIM115 - closed in close(), lives as long as the process
        self.changes = SampleChanges()
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
        data, _ = self._exchange("hello")
        # The number first: another protocol has keys that this reader does not know.
        if data.get("ok") is True and data.get("protocol") != PROTOCOL:
            raise WorkerError(f"The worker speaks protocol {str(data.get('protocol'))[:20]}, this side {PROTOCOL}.")
        return self._read(Hello, data, "hello")

    def keep(self, samples: Sequence[Any]) -> None:
        """Give the worker its samples; later calls name them by index."""
        plain, arrays = pack_samples(list(samples), paths=self._sees_files)
        self._request(Done, "samples", Keep(tuple(plain)), arrays)

    def load(self, package: PurePath, engine: str | None, threads: int | None, *, emulate: bool = False) -> Loaded:
        """Open a package and activate an engine; gives the seconds to the first answer, and what runs where.

        Without an engine the first in the package's order that can run there does.
        """
        return self._request(Loaded, "load", Load(str(package), engine, threads, emulate))[0]

    def cold_start(self, package: PurePath, engine: str, threads: int | None) -> ColdStarted:
        """Start an engine in a fresh process beside the worker, which answers the first of the samples kept."""
        return self._request(ColdStarted, "cold_start", ColdStart(str(package), engine, threads))[0]

    def answer(self, indices: Sequence[int]) -> list[Prediction]:
        """The predictions for these samples."""
        made, facts = self._arrays(Answered, "answer", indices)
        # A sample of which two sentences of a kind are said counts once.
        for kind, _ in {(kind, index): None for index, kind, _ in facts.said}:
            first = next(sentence for _, one, sentence in facts.said if one == kind)
            self.changes = self.changes.plus(SampleChanges({kind: (1, first)}))
        try:
            return [prediction_from_arrays(arrays) for arrays in made]
        except ValueError as error:
            raise self._garbled("answer", str(error)) from error

    def feeds(self, indices: Sequence[int]) -> list[Arrays]:
        """What the graph is given for these samples."""
        return self._arrays(Done, "feeds", indices)[0]

    def _arrays(self, kind: type[T], operation: str, indices: Sequence[int]) -> tuple[list[Arrays], T]:
        facts, arrays = self._request(kind, operation, Samples(tuple(indices)))
        found: dict[str, Arrays] = {str(index): {} for index in indices}
        for key, value in arrays.items():
            index, _, name = key.partition("/")
            if index not in found or value.dtype.hasobject or value.dtype.names:
                raise self._garbled(operation, f"it has an array {key[:80]!r} that was not requested")
            found[index][name] = value
        if any(made.keys() != found[str(indices[0])].keys() for made in found.values()):
            raise self._garbled(operation, "its samples have different outputs")
        return [found[str(index)] for index in indices], facts

    def time(self, indices: Sequence[int]) -> Timed:
        """Seconds of a call for each of these samples, after one that is not counted."""
        timed = self._request(Timed, "time", Samples(tuple(indices)))[0]
        if len(timed.seconds) != len(indices):
            raise self._garbled("time", f"it has {len(timed.seconds)} times for {len(indices)} calls")
        return timed

    def time_tokens(self, request: TimeTokens) -> TokenTimes:
        """Seconds to the first new token after a prompt made of the samples kept, and of the tokens after it."""
        found = self._request(TokenTimes, "time_tokens", request)[0]
        if (found.prompt_tokens, found.new_tokens) != (request.prompt_tokens, request.new_tokens):
            raise self._garbled("time_tokens", "it is of other numbers of tokens")
        return found

    def energy(self, indices: Sequence[int]) -> EnergyRead:
        """What the sensors of the worker's machine say of calls with these samples, or why they say nothing."""
        return self._request(EnergyRead, "energy", Samples(tuple(indices)))[0]

    def verify(self, package: PurePath, engine: str | None, *, strict: bool) -> SelfTestReport:
        """The self-test of a package, or an error of the kind `check`."""
        return self._request(SelfTestReport, "verify", Verify(str(package), engine, strict))[0]

    def keep_finished(self, package: PurePath, found: Finished) -> None:
        """Keep there what was found about an engine, where `load` finds it."""
        self._request(Done, "finished", Found(str(package), found))

    def peak_memory_bytes(self) -> int:
        """Peak resident memory of the worker so far."""
        return self._request(Memory, "memory")[0].peak_bytes

    def _request(
        self, kind: type[T], operation: str, request: object | None = None, arrays: Arrays | None = None
    ) -> tuple[T, Arrays]:
        data, made = self._exchange(operation, request, arrays)
        return self._read(kind, data, operation), made

    def _read(self, kind: type[T], data: dict[str, object], operation: str) -> T:
        try:
            response = read_response(kind, data, "its response")
        except (RecordError, ResponseError) as error:
            raise self._garbled(operation, str(error).splitlines()[0].rstrip(".")) from error
        if isinstance(response, Refused):
            raise WorkerError(response.error, response.kind)
        return response

    def _exchange(
        self, operation: str, request: object | None = None, arrays: Arrays | None = None
    ) -> tuple[dict[str, object], Arrays]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            with ended_after(self._timeout, self._end_stuck):
                send(self._process.stdin, {"op": operation, **(write_record(request) if request else {})}, arrays)
                return receive(self._process.stdout, limit_bytes=RESPONSE_LIMIT_BYTES)
        except WireError as error:
            if error.garbled:
                raise self._garbled(operation, str(error)) from error
            raise self._death(operation) from error
        except OSError as error:
            raise self._death(operation) from error

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
                f"The engine did not finish '{operation}' within {self._timeout:.0f} seconds and was stopped."
            )
        # It may have closed its end, and live on.
        code = exit_code(self._process, 10)
        lines = last_lines(self._errors)
        if code == self._connection_code:
            return ConnectionLostError(lines[-1] if lines else "The connection ended.")
        ended = ending(code, through_shell=self._connection_code is not None)
        return WorkerError(f"The process of the engine ended {ended} during '{operation}'.{last_words(lines)}")

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
        if not self._shares_errors:
            self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
