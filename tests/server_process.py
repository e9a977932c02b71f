"""`edgewright serve` in a process of its own on a free port, and a client for it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from command import PROGRAM

_START_SECONDS = 60
_LISTENING = re.compile(r"at http://(?:127\.0\.0\.1|\[::1\]|localhost):(\d+)")


@dataclass(frozen=True)
class Reply:
    """What a server answered.

    Attributes:
        status: Its status.
        headers: With names in small letters.
        body: The bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The message of a refusal, with its hint."""
        error = self.json["error"]
        return f"{error['message']} {error.get('hint', '')}".strip()

    @property
    def events(self) -> list[Any]:
        """Server-sent events; `[DONE]` as it is."""
        assert self.headers["content-type"].startswith("text/event-stream"), self.body
        parts = [part.removeprefix("data: ") for part in self.body.decode().split("\n\n") if part]
        return [part if part == "[DONE]" else json.loads(part) for part in parts]


@dataclass(frozen=True)
class RunningServer:
    """A server that listens.

    Attributes:
        port: Where.
        process: It.
        log: The lines of its log until now.
    """

    port: int
    process: subprocess.Popen[str]
    log: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request on a connection of its own; `content_type` stands for the header of this name."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            found = connection.getresponse()
            return Reply(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        """GET."""
        return self.request("GET", path, None, **headers)

    def post(self, path: str, data: object, **headers: str) -> Reply:
        """POST of JSON."""
        return self.request("POST", path, json.dumps(data).encode(), content_type="application/json", **headers)

    def send(self, path: str, *, files: Mapping[str, Path] | None = None, **fields: str) -> Reply:
        """POST of a form, with the real names of the files."""
        body, kind = form(files or {}, fields)
        return self.request("POST", path, body, content_type=kind)

    def metric(self, name: str) -> float:
        """The value of a metric, by its name with its labels as the text has them."""
        lines = self.get("/metrics").body.decode().splitlines()
        found = [line.removeprefix(name) for line in lines if line.startswith(f"{name} ")]
        return float(found[0]) if found else 0.0


def form(files: Mapping[str, Path], fields: Mapping[str, str]) -> tuple[bytes, str]:
    """The body of a form, and its type."""
    edge = "an-edge-between-parts"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, path in files.items():
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{path.name}"\r\n\r\n'
        parts.append(head.encode() + path.read_bytes() + b"\r\n")
    return b"".join((*parts, f"--{edge}--\r\n".encode())), f"multipart/form-data; boundary={edge}"


@contextmanager
def serving(*words: object, environment: Mapping[str, str] | None = None) -> Iterator[RunningServer]:
    """A server of these packages and options; it is ended at the end, and must end with exit code 0."""
    command = [*PROGRAM, "serve", *map(str, words), "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | dict(environment or {})
    )
    assert process.stdout is not None
    assert process.stderr is not None
    log: list[str] = []
    errors = process.stderr
    reader = threading.Thread(target=lambda: log.extend(iter(errors.readline, "")), daemon=True)
    reader.start()
    timer = threading.Timer(_START_SECONDS, process.kill)
    timer.start()
    try:
        found = _LISTENING.search(process.stdout.readline())
        timer.cancel()
        assert found, "".join(log)
        yield RunningServer(int(found[1]), process, log)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.wait(_START_SECONDS) == 0, "".join(log)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        reader.join(_START_SECONDS)
        for stream in (process.stdout, process.stderr):
            stream.close()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what must come; a test that waits for it for ever is wrong."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("it did not come")
