"""Workers and devices whose responses lie, are garbled or never end: one sentence, no traceback, bounded memory.

The other end is a shell that plays bytes: no honest worker sends such.
"""

import contextlib
import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgewright_benchmarks.devices.engine_worker import ConnectionLostError, WorkerError
from edgewright_benchmarks.devices.responses import Copied, DeviceFacts
from edgewright_benchmarks.devices.session import FarEndSession
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_runtime.responses import Done, Hello
from edgewright_runtime.samples import ANSWER
from edgewright_runtime.wire import PROTOCOL, WireError, receive, send
from edgewright_targets import InputError, host_facts
from edgewright_targets.record import write_record

DEEP = b"[" * 100_000 + b"\n"
HUGE = b"9" * 5_000


def message(data: dict[str, Any], **arrays: Any) -> bytes:
    stream = io.BytesIO()
    send(stream, data, arrays)
    return stream.getvalue()


GREETING: dict[str, Any] = {"ok": True, **write_record(Hello(PROTOCOL, "1", host_facts()))}
HELLO = message(GREETING)


def play(tmp_path: Path, *streams: bytes, then: str = "cat > /dev/null") -> tuple[str, ...]:
    """The command of a process that writes the bytes, whatever it is asked."""
    file = tmp_path / "stream"
    file.write_bytes(b"".join(streams))
    return ("sh", "-c", f"cat {shlex.quote(str(file))}; {then}")


def lying_payload() -> bytes:
    """An array whose header asks for far more than the payload has."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    archive = io.BytesIO()
    np.savez(archive, x=np.zeros(1))
    data = archive.getvalue()
    honest = io.BytesIO()
    np.lib.format.write_array_header_1_0(honest, {"descr": "<f8", "fortran_order": False, "shape": (1,)})
    assert honest.getvalue() in data
    return data.replace(honest.getvalue(), stream.getvalue())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"hello\n", "a line is not JSON"),
        (b"[]\n", "not a JSON object"),
        (DEEP, "a line is not JSON"),
        (b'{"ok": true}\n', "a message announces None bytes"),
        (b'{"ok": true, "bytes": -1}\n', "announces -1 bytes"),
        (b'{"ok": true, "bytes": 1e400}\n', "announces inf bytes"),
        (b'{"ok": true, "bytes": true}\n', "announces True bytes"),
        (b'{"ok": true, "bytes": "8"}\n', "announces 8 bytes"),
        (b'{"ok": true, "bytes": 99999999999}\n', "announces 99999999999 bytes"),
        (b'{"bytes": ' + HUGE + b"}\n", "a line is not JSON"),
        (b'{"ok": true, "bytes": 3}\nabc', "not a readable .npz|no readable .npz"),
        (b'{"ok": true, "bytes": %d}\n%b' % (len(lying_payload()), lying_payload()), "not a readable .npz"),
        (b"x" * (2**20 + 1), "a line has more than"),
    ],
)
def test_what_is_not_a_message(data: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says) as caught:
        receive(io.BytesIO(data), limit_bytes=2**20)
    assert caught.value.garbled


@pytest.mark.parametrize("data", [b"", b'{"ok": true', b'{"ok": true, "bytes": 9}\nabc'])
def test_a_stream_that_ends(data: bytes) -> None:
    with pytest.raises(WireError, match="the stream ended") as caught:
        receive(io.BytesIO(data))
    assert not caught.value.garbled


@pytest.mark.parametrize(
    ("hello", "says"),
    [
        ({"ok": True, "protocol": 99, "machine": 1}, "speaks protocol 99"),
        ({"ok": True, "protocol": PROTOCOL}, "the key 'version' is missing"),
        ({"ok": True, "protocol": PROTOCOL, "version": "1", "machine": []}, "machine: expected a table"),
        ({"ok": 1, "protocol": PROTOCOL}, "the key 'ok' is neither true nor false"),
        ({"ok": False, "error": 7}, "the key 'kind' is missing"),
        ({**GREETING, "machine": {**GREETING["machine"], "memory_bytes": 10**400}}, "memory_bytes: the number is too"),
        ({**GREETING, "machine": {**GREETING["machine"], "cores": -1}}, "is negative"),
        ({"ok": False, "kind": "bug", "error": "it broke"}, "^it broke$"),
    ],
)
def test_a_worker_that_begins_with_a_lie(tmp_path: Path, hello: dict[str, Any], says: str) -> None:
    with pytest.raises(WorkerError, match=says):
        WorkerProcess(command=play(tmp_path, message(hello)))


ENGINE = {
    "name": "a", "target": "t", "provider": "p", "precision": "fp32", "threads": 1, "nodes": {}, "reason": "",
    "passed_over": [], "emulated": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("response", "ask", "says"),
    [
        (
            message({"ok": True, "seconds": "soon", "engine": ENGINE}),
            lambda worker: worker.load(Path("p"), None, None),
            "seconds: expected float",
        ),
        (
            message({"ok": True, "seconds": 1e400, "engine": ENGINE}),
            lambda worker: worker.load(Path("p"), None, None),
            "not finite",
        ),
        (
            message({"ok": True, "seconds": 1, "engine": {**ENGINE, "passed_over": [["a"]]}}),
            lambda worker: worker.load(Path("p"), None, None),
            "expected 2 values, found 1",
        ),
        (
            message({"ok": True, "said": [[0, "kind"]]}),
            lambda worker: worker.answer([0]),
            "expected 3 values, found 2",
        ),
        (
            message({"ok": True, "said": []}, **{"one/scores": np.zeros(1)}),
            lambda worker: worker.answer([0]),
            "an array 'one/scores' that was not requested",
        ),
        (
            message({"ok": True, "said": []}, **{"0/scores": np.zeros(1)}),
            lambda worker: worker.answer([0, 1]),
            "its samples have different outputs",
        ),
        *(
            (
                message({"ok": True, "said": []}, **{f"0/{ANSWER}": np.frombuffer(packed, np.uint8)}),
                lambda worker: worker.answer([0]),
                "the answer of a sample cannot be read",
            )
            for packed in (b"{", b"PK\x03\x04", b"\xff", b"")
        ),
        (message({"ok": True, "seconds": [1.0], "busy": 1.0}), lambda worker: worker.time([0, 1]), "1 times for 2"),
        (
            message({"ok": True, "seconds": [1.0, 1e300], "busy": 1.0}),
            lambda worker: worker.time([0, 1]),
            "longer than a year",
        ),
        (
            message({"ok": True, "seconds": 1, "engine": {**ENGINE, "nodes": {"p": 10**400}}}),
            lambda worker: worker.load(Path("p"), None, None),
            "nodes.p: the number is too large",
        ),
        (
            message({"ok": True, "seconds": 1, "engine": {**ENGINE, "nodes": {"p": -1}}}),
            lambda worker: worker.load(Path("p"), None, None),
            "is negative",
        ),
        (message({"ok": True, "peak_bytes": None}), lambda worker: worker.peak_memory_bytes(), "peak_bytes"),
        (message({"ok": True, "peak_bytes": 10**400}), lambda worker: worker.peak_memory_bytes(), "too large"),
        (message({"ok": True, "peak_bytes": -1}), lambda worker: worker.peak_memory_bytes(), "is negative"),
        (
            message({"ok": True, "files": 1}),
            lambda worker: worker.verify(Path("p"), None, strict=False),
            "the key '.*' is missing",
        ),
        (b"not a message\n", lambda worker: worker.peak_memory_bytes(), "a line is not JSON"),
    ],
)
def test_a_worker_whose_response_lies(
    tmp_path: Path, response: bytes, ask: Callable[[WorkerProcess], object], says: str
) -> None:
    with WorkerProcess(command=play(tmp_path, HELLO, response)) as worker, pytest.raises(WorkerError, match=says):
        ask(worker)


def test_a_line_of_a_worker_without_an_end_is_cut(tmp_path: Path) -> None:
    command = play(tmp_path, HELLO, then="yes no-newline | tr -d '\\n'")
    with WorkerProcess(command=command) as worker, pytest.raises(WorkerError, match="a line has more than"):
        worker.peak_memory_bytes()


def test_a_worker_that_closes_its_end_and_lives_on_is_ended(tmp_path: Path) -> None:
    command = play(tmp_path, HELLO, then="exec >&-; exec sleep 600")
    with WorkerProcess(command=command) as worker, pytest.raises(WorkerError, match="ended by signal 9"):
        worker.peak_memory_bytes()


def test_the_last_words_of_a_worker_are_bounded(tmp_path: Path) -> None:
    # It ends after it was asked twice, so that the first request does not meet a closed pipe.
    last_words = "read hello; read request; head -c 300000 /dev/zero | tr '\\0' 'w' >&2; exit 3"
    command = play(tmp_path, HELLO, then=last_words)
    with WorkerProcess(command=command) as worker, pytest.raises(WorkerError, match="exit code 3") as caught:
        worker.peak_memory_bytes()
    assert len(str(caught.value)) < 2000


class PlayedClient:
    """The side of ssh that a session asks for its command line, with a shell in the place of ssh."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command

    def far_end(self, size: int) -> tuple[str, ...]:
        del size
        return self._command


FACTS: dict[str, Any] = {
    "folder": "/tmp", "python": "3.11.2", "implementation": "cpython", "architecture": "x86_64", "system": "Linux",
    "libc": "glibc 2.36", "emulated": False, "model": "", "versions": {}, "memory_bytes": 1,
}  # fmt: skip


def answer(data: Any) -> bytes:
    return json.dumps(data).encode() + b"\n"


def session(tmp_path: Path, *streams: bytes, then: str = "cat > /dev/null") -> FarEndSession:
    client: Any = PlayedClient(play(tmp_path, b"/usr/bin/python3\n", *streams, then=then))
    return FarEndSession(client, "board")


@pytest.mark.parametrize(
    ("kind", "line", "says"),
    [
        (DeviceFacts, answer({"ok": True, **FACTS, "versions": []}), "versions: expected a table"),
        (DeviceFacts, answer({"ok": True, **FACTS, "memory_bytes": "9"}), "memory_bytes: expected int"),
        (DeviceFacts, answer({"ok": True, **FACTS, "memory_bytes": 10**400}), "memory_bytes: the number is too large"),
        (DeviceFacts, answer({"ok": True, **FACTS, "memory_bytes": -1}), "memory_bytes is negative"),
        (Copied, answer({"ok": True, "whole": True, "have": {}, "free_bytes": 10**400}), "free_bytes: the number is"),
        (Copied, answer({"ok": True, "whole": True, "have": {}, "free_bytes": -1}), "free_bytes is negative"),
        (Copied, answer({"ok": True, "whole": False, "have": {"a": -1}, "free_bytes": 1}), "have is negative"),
        (DeviceFacts, answer({"ok": True, **FACTS, "more": 1}), "unknown key 'more'"),
        (DeviceFacts, answer({"ok": True, **FACTS, "folder": "/a\0b"}), "folder is '/a.x00b'; expected an absolute"),
        (DeviceFacts, answer({"ok": True, **FACTS, "folder": "/a\x1b[31m"}), "expected an absolute path"),
        (DeviceFacts, answer({"ok": True, **FACTS, "folder": "../a"}), "folder is '../a'; expected an absolute path"),
        (DeviceFacts, answer({"ok": True, **FACTS, "folder": ""}), "expected an absolute path"),
        (DeviceFacts, answer({"ok": True}), "the key 'folder' is missing"),
        (Copied, answer({"ok": True, "whole": False, "have": {"a": "b"}, "free_bytes": 1}), "have.a: expected int"),
        (Done, answer([]), "not a JSON object"),
        (Done, answer({}), "it has neither a result nor an error"),
        (Done, answer({"ok": False, "error": {}}), "it has neither a result nor an error"),
        (Done, answer({"ok": "yes"}), "it has neither a result nor an error"),
        (Done, answer({"ok": False, "error": "its disk is full"}), "Device 'board' refused: its disk is full."),
        (Done, DEEP, "a line is not JSON"),
        (Done, b"Welcome to board!\n", "a line is not JSON: b'Welcome to board!"),
    ],
)
def test_a_device_whose_response_lies(tmp_path: Path, kind: type[Any], line: bytes, says: str) -> None:
    far = session(tmp_path, line)
    with pytest.raises(InputError, match=says):
        far.ask(kind, {"op": "ping"})
    far.close()


def test_a_line_of_a_device_without_an_end_is_cut(tmp_path: Path) -> None:
    far = session(tmp_path, then="yes no-newline | tr -d '\\n'")
    with pytest.raises(InputError, match="a line has more than"):
        far.ask(Done, {"op": "ping"})
    far.close()


def test_a_device_whose_first_line_has_no_end(tmp_path: Path) -> None:
    client: Any = PlayedClient(play(tmp_path, then="yes no-newline | tr -d '\\n'"))
    with pytest.raises(InputError, match="the path of Python has no end"):
        FarEndSession(client, "board")


def test_a_device_whose_first_line_is_no_path(tmp_path: Path) -> None:
    client: Any = PlayedClient(play(tmp_path, b"/usr/bin/py\0thon3\n"))
    with pytest.raises(InputError, match="the path of Python has control characters"):
        FarEndSession(client, "board")


def test_a_device_that_ends_is_a_lost_connection(tmp_path: Path) -> None:
    # Whether it ends before or after it was sent what runs there is up to the two processes.
    with (
        pytest.raises(ConnectionLostError, match="ended with exit code 7"),
        contextlib.closing(session(tmp_path, then="exit 7")) as far,
    ):
        far.ask(Done, {"op": "ping"})
