"""Sizes, times, numbers and memory have limits; a server that stops lets running requests finish."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import hand_made
from hand_made import Made
from server_process import RunningServer, serving, wait_until

# Seconds of work, far more than any test waits.
ENDLESS = {"prompt": "one", "max_tokens": hand_made.ENDLESS}


def begin(server: RunningServer, body: dict[str, object]) -> http.client.HTTPConnection:
    """A connection on which a text was asked for; to be closed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
    return connection


def test_a_request_of_a_gigabyte(made: Made) -> None:
    with serving(made.colours, "--max-request", "20KiB") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            # Refused by its header; nothing of it is waited for.
            raw.sendall(
                b"POST /predict/colours HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: 1000000000\r\n\r\n"
            )
            answer = raw.recv(4096)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"connection: close" in answer.lower()
        # One that does not say its size is cut off.
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.sendall(
                b"POST /predict/colours HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
            )
            raw.sendall(b"6000\r\n" + b"x" * 0x6000 + b"\r\n")
            assert raw.recv(4096).startswith(b"HTTP/1.1 413 ")
        assert server.send("/predict/colours", files={"image": made.picture}).status == 200
        assert server.metric("edgewright_bodies_bytes") == 0


def test_a_body_that_does_not_come_and_an_answer_that_takes_too_long(made: Made) -> None:
    with serving(made.writer, made.embedder, "--time-limit", "0.5") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.sendall(
                b"POST /predict/writer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: 10\r\n\r\n{"
            )
            assert raw.recv(4096).startswith(b"HTTP/1.1 408 ")
        late = server.post("/v1/completions", ENDLESS)
        assert late.status == 504
        assert "within the time limit" in late.error
        # In a stream, whose status was sent, it is an event.
        assert server.post("/v1/completions", ENDLESS | {"stream": True}).events[-1]["error"]["code"] == 504
        # Both were stopped, or never begun: the same package answers again, long before they would have ended.
        assert server.post("/v1/completions", {"prompt": "one", "max_tokens": 2}).status == 200


def test_a_client_that_goes_away(made: Made) -> None:
    with serving(made.writer) as server:
        streamed = begin(server, ENDLESS | {"stream": True})
        response = streamed.getresponse()
        assert response.readline().startswith(b"data: ")
        response.close()
        streamed.close()
        wait_until(lambda: server.metric("edgewright_requests_running") == 0)
        whole = begin(server, ENDLESS)
        wait_until(lambda: server.metric("edgewright_requests_running") == 1)
        whole.close()
        wait_until(lambda: server.metric("edgewright_requests_running") == 0)
        assert server.post("/v1/completions", {"prompt": "one", "max_tokens": 2}).status == 200
        assert server.metric('edgewright_requests_total{address="/v1/completions",status="499"}') == 2
        # Of three calls one came to its end.
        assert server.metric('edgewright_call_seconds_count{package="writer"}') == 1


def test_more_requests_than_there_is_room_for(made: Made) -> None:
    with serving(made.writer, made.embedder, "--queue", "2") as server:
        first, second = begin(server, ENDLESS), begin(server, ENDLESS)
        wait_until(lambda: server.metric("edgewright_requests_running") == 2)
        refused = server.post("/predict/embedder", {"input": "one"})
        assert refused.status == 503
        assert "2 requests are under way" in refused.error
        assert int(refused.headers["retry-after"]) >= 1
        # What is not a call is answered all the same.
        assert server.get("/health").status == 200
        first.close()
        second.close()
        wait_until(lambda: server.metric("edgewright_requests_running") == 0)
        assert server.post("/predict/embedder", {"input": "one"}).status == 200


def test_a_hundred_at_once(server: RunningServer) -> None:
    def ask(number: int) -> int:
        names = ("writer", "embedder")
        return server.post(f"/predict/{names[number % 2]}", {"input": "one two three"}).status

    with ThreadPoolExecutor(100) as pool:
        assert set(pool.map(ask, range(200))) == {200}
    assert server.metric("edgewright_requests_running") == 0
    assert server.metric("edgewright_bodies_bytes") == 0


def test_a_server_that_stops_lets_running_requests_finish(made: Made) -> None:
    body = {"prompt": "one", "max_tokens": 4_000}
    with serving(made.writer) as server:
        server.post("/v1/completions", {"prompt": "one", "max_tokens": 1})
        whole, streamed = begin(server, body), begin(server, body | {"stream": True})
        wait_until(lambda: server.metric("edgewright_requests_running") == 2)
        # A connection that is there already is not torn, but takes no further work.
        kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        kept.request("GET", "/health")
        assert kept.getresponse().read()
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: any("stopping; 2 requests are under way" in line for line in server.log))
        kept.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        assert kept.getresponse().status == 503
        with pytest.raises(OSError, match=r"."):
            socket.create_connection(("127.0.0.1", server.port), timeout=10)
        answers = []
        reader = threading.Thread(target=lambda: answers.append(streamed.getresponse().read()))
        reader.start()
        assert len(json.loads(whole.getresponse().read())["choices"][0]["text"].split()) == 4_000
        reader.join()
        for connection in (whole, streamed, kept):
            connection.close()
        assert answers[0].endswith(b"data: [DONE]\n\n")
        assert server.process.wait(60) == 0


def test_an_idle_server_ends_at_once_with_either_signal(made: Made) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        with serving(made.embedder) as server:
            server.process.send_signal(number)
            assert server.process.wait(60) == 0
