"""One connection to the far end on a device, as an object: asks, and gets answers or an error."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from importlib import resources
from typing import Any

from edgewright_benchmarks.devices.connection import CONNECTION_CODE, NO_PYTHON_CODE, SshClient
from edgewright_benchmarks.workers import ConnectionLostError
from edgewright_targets import InputError

# Digests of a package on the slowest card take minutes; a far end that is silent for longer is stuck.
_TIMEOUT_SECONDS = 600.0
# Connecting, logging in and starting Python; an emulated one takes some seconds.
CONNECT_TIMEOUT_SECONDS = 60.0


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
            with self._within(timeout):
                self.python = self._read_line().decode(errors="replace").strip()
                self._write([source])
        except BaseException:
            self.close()
            raise

    def ask(
        self, request: dict[str, Any], content: Iterable[bytes] = (), *, timeout: float | None = _TIMEOUT_SECONDS
    ) -> dict[str, Any]:
        """Send a request, with the bytes that follow it, and give the answer.

        Args:
            request: With `op` and what it needs.
            content: Bytes after the request.
            timeout: Seconds until the answer; None waits as long as it takes.

        Raises:
            InputError: The device refused, such as its disk.
        """
        self.usable = False
        with self._within(timeout):
            self._write([json.dumps(request).encode() + b"\n"])
            self._write(content)
            line = self._read_line()
        self.usable = True
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise ConnectionLostError(f"'{self._name}' answered what is no answer: {line[:80]!r}.") from error
        if not answer.pop("ok"):
            raise InputError(f"Device '{self._name}' refused: {answer['error']}.")
        return answer

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

    def _read_line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self.lost()
        return line

    @contextlib.contextmanager
    def _within(self, seconds: float | None) -> Any:
        # Killing the process ends a read of its pipe, which a signal or a socket timeout would not do.
        watchdog = threading.Timer(seconds or 0, self._end_stuck)
        # Ctrl-C may come at any moment, between two lines too: nothing waits for a watchdog that was not called off.
        watchdog.daemon = True
        try:
            if seconds is not None:
                watchdog.start()
            yield
        finally:
            watchdog.cancel()

    def _end_stuck(self) -> None:
        self._timed_out = True
        self._process.kill()

    def lost(self) -> ConnectionLostError | InputError:
        """Why the connection ended, which it has, or is made to: without an answer nothing more comes from it."""
        self.usable = False
        try:
            code = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace")
        if self._timed_out:
            return ConnectionLostError("It did not answer in time.", hint="Is it busy, or its disk slow?")
        if code == NO_PYTHON_CODE:
            return self._client.no_python(said)
        if code == CONNECTION_CODE:
            refusal = self._client.refusal(said)
            return ConnectionLostError(refusal.reason, hint=refusal.hint, lasting=refusal.lasting)
        lines = said.strip().splitlines()
        last = f": {lines[-1]}" if lines else "."
        return ConnectionLostError(f"What ran there ended with exit code {code}{last}", hint="Try again.")

    def close(self) -> None:
        """End the connection, whatever state it is in; the far end cleans up by itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5 if self.usable else 0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()
