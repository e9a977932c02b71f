"""One connection to the far end on a device, as an object: asks, and gets answers or an error."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import TypeVar

from edgewright_benchmarks.child_process import end_group, ended_after, exit_code, last_lines
from edgewright_benchmarks.devices.connection import CONNECTION_CODE, NO_PYTHON_CODE, SshClient
from edgewright_benchmarks.devices.engine_worker import ConnectionLostError
from edgewright_runtime.wire import WireError, read_line
from edgewright_targets import InputError
from edgewright_targets.record import RecordError, read_record

T = TypeVar("T")

# Digests of a package on the slowest card take minutes; a far end that is silent for longer is stuck.
_TIMEOUT_SECONDS = 600.0
# Connecting, logging in and starting Python; an emulated one takes some seconds.
CONNECT_TIMEOUT_SECONDS = 60.0
# Bytes of one line of words, such as a path (PATH_MAX of Linux) or what a program says last.
_WORDS_LIMIT = 4096


class FarEndSession:
    """A connection with its far end; its methods raise `ConnectionLostError` where the connection ended.

    Args:
        client: Makes the command line.
        name: Of the device, for messages.
        timeout: Seconds until the far end must have started.
    """

    def __init__(self, client: SshClient, name: str, timeout: float = CONNECT_TIMEOUT_SECONDS) -> None:
        self._client = client
        self._name = name
        self._timed_out = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close(), lives as long as the process
        source = resources.files(__package__).joinpath("far_end.py").read_bytes()
        # A session of its own: Ctrl-C is for us, who then say goodbye over the connection.
        self._process = subprocess.Popen(
            client.far_end(len(source)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        # Between a request and its answer an interruption leaves the stream in the middle of something.
        self.usable = True
        try:
            with ended_after(timeout, self._end_stuck):
                self.python = self._read_python()
                self._write([source])
        except BaseException:
            self.close()
            raise

    def ask(
        self,
        kind: type[T],
        request: Mapping[str, object],
        content: Iterable[bytes] = (),
        *,
        timeout: float | None = _TIMEOUT_SECONDS,
    ) -> T:
        """Send a request, with the bytes that follow it, and give the response.

        Args:
            kind: What the response must be; a class of `responses`.
            request: With `op` and what it needs.
            content: Bytes after the request.
            timeout: Seconds until the answer; None waits as long as it takes.

        Raises:
            InputError: The device refused, such as its disk, or sent what is not such a response.
        """
        operation = str(request["op"])
        self.usable = False
        with ended_after(timeout, self._end_stuck):
            self._write([json.dumps(request).encode() + b"\n"])
            self._write(content)
            answer = self._read_message(operation)
        self.usable = True
        if answer.pop("ok", None) is not True:
            reason = answer.get("error")
            if not isinstance(reason, str):
                raise self.garbled(operation, "it has neither a result nor an error")
            raise InputError(f"Device '{self._name}' refused: {reason[:_WORDS_LIMIT]}.")
        try:
            return read_record(kind, answer, "its response")
        except RecordError as error:
            raise self.garbled(operation, error.message.rstrip(".")) from error

    def garbled(self, operation: str, what: str) -> InputError:
        """The error for a response that no far end of ours sends; nothing more is asked in this connection."""
        self.usable = False
        self._process.kill()
        return InputError(
            f"Device '{self._name}' sent a response to '{operation}' that cannot be read: {what}.",
            hint="Its shell may print something at its start, or another program responds.",
        )

    def alive(self) -> bool:
        """Whether the connection has not ended, as far as is known."""
        return self.usable and self._process.poll() is None

    def _write(self, content: Iterable[bytes]) -> None:
        assert self._process.stdin is not None
        try:
            for block in content:
                self._process.stdin.write(block)
            self._process.stdin.flush()
        except OSError as error:
            raise self.lost() from error

    def _read_python(self) -> str:
        """The path of Python there, which is the first line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline(_WORDS_LIMIT)
        if len(line) >= _WORDS_LIMIT:
            raise self.garbled("python", "the path of Python has no end")
        if not line.endswith(b"\n"):
            raise self.lost()
        path = line.decode(errors="replace").strip()
        # It becomes a part of commands, which no system takes with a zero byte.
        if not path.isprintable():
            raise self.garbled("python", "the path of Python has control characters")
        return path

    def _read_message(self, operation: str) -> dict[str, object]:
        assert self._process.stdout is not None
        try:
            return read_line(self._process.stdout)
        except WireError as error:
            if error.garbled:
                raise self.garbled(operation, str(error)) from error
            raise self.lost() from error

    def _end_stuck(self) -> None:
        self._timed_out = True
        end_group(self._process)

    def lost(self) -> ConnectionLostError | InputError:
        """Why the connection ended, which it has, or is made to: without an answer nothing more comes from it."""
        self.usable = False
        code = exit_code(self._process, 10)
        lines = last_lines(self._errors)
        stderr_text = "\n".join(lines)
        if self._timed_out:
            return ConnectionLostError("It did not respond in time.", hint="Is it busy, or its disk slow?")
        if code == NO_PYTHON_CODE:
            return self._client.no_python(stderr_text)
        if code == CONNECTION_CODE:
            refusal = self._client.refusal(stderr_text)
            return ConnectionLostError(refusal.reason, hint=refusal.hint, lasting=refusal.lasting)
        last = f": {lines[-1][:_WORDS_LIMIT]}" if lines else "."
        return ConnectionLostError(f"What ran there ended with exit code {code}{last}", hint="Try again.")

    def close(self) -> None:
        """End the connection, whatever state it is in; the far end cleans up by itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        exit_code(self._process, 5 if self.usable else 0.2)
        self._process.stdout.close()
        self._errors.close()
