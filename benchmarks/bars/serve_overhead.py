"""Bar: `edgewright serve` adds at most 3 ms or 5 % to a call at one client, and keeps 0.95 of the throughput.

The server runs in a process of its own, as it does in use, and so does the loop that calls the package: two sessions in
one process would disturb one another. Both answer the golden samples of the package (texts), in turns. The client keeps
its connection, speaks HTTP by the standard library, and reads the whole answer.

Throughput is held for packages whose calls take 50 ms or more; for faster ones the ratio is stated, for there HTTP and
JSON are much of the whole. Eight clients ask at once, which is what fills the queue.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import http.client
import json
import multiprocessing
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from _bars import Figure, alternate, figure, main, median_interval, verdict
from _package import texts
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.statistics.bounds import lower, upper
from edgewright_runtime import load
from edgewright_targets import InputError

LIMIT, LIMIT_MILLISECONDS = 1.05, 3.0
# The inverse of 0.95: seconds of the server over seconds of the loop.
LIMIT_THROUGHPUT = 1 / 0.95
# From here on calls are long enough for the bar of throughput.
LONG_SECONDS = 0.050
ROUNDS = 15
CLIENTS = 8
REPEATS = 2


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    samples = texts(options.package) * REPEATS
    with _server(options.package) as port, _loop(options.package, samples) as loop:
        found = alternate(
            {"served": lambda: _one_client(port, samples), "called": lambda: _asked(loop)}, options.rounds or ROUNDS
        )
        many = alternate(
            {"served": lambda: [_many_clients(port, samples)], "called": lambda: [sum(_asked(loop))]},
            options.rounds or ROUNDS,
        )
    pairs = [zip(one, other, strict=True) for one, other in zip(found["served"], found["called"], strict=True)]
    extra = median_interval([statistics.median(1e3 * (a - b) for a, b in pair) for pair in pairs])
    held = figure("serve", "one client / model(text)", found["served"], found["called"], LIMIT, _note(extra))
    if verdict(extra, LIMIT_MILLISECONDS) == "pass":
        held = dataclasses.replace(held, verdict="pass")
    called = statistics.median(value for values in found["called"] for value in values)
    limit = LIMIT_THROUGHPUT if called >= LONG_SECONDS else None
    note = f"a call takes {1e3 * called:.1f} ms"
    return [held, figure("serve", f"{CLIENTS} clients / a loop", many["served"], many["called"], limit, note)]


def _note(extra: Interval) -> str:
    return f"{extra.value:+.2f} ms ({lower(extra.low, 2):+.2f} to {upper(extra.high, 2):+.2f})"


@contextlib.contextmanager
def _server(package: str) -> Iterator[int]:
    """The port of a server of the package, which is called `it`."""
    command = [sys.executable, "-m", "edgewright_cli", "serve", f"it={package}", "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            if found is None:
                raise InputError(f"The server did not start: {line!r}.")
            yield int(found[1])
        finally:
            process.terminate()


@contextlib.contextmanager
def _loop(package: str, samples: Sequence[str]) -> Iterator[Connection]:
    """A process that calls the package with all samples whenever it is asked."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_call, args=(there, package, samples), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join()


def _call(connection: Connection, package: str, samples: Sequence[str]) -> None:
    model = load(package)
    # The other end closes the pipe when it is done.
    with contextlib.suppress(EOFError):
        while True:
            connection.recv()
            # After a pause threads have to wake: one call that is not counted.
            model(samples[0])
            connection.send([_seconds(model, text) for text in samples])


def _seconds(model: object, text: str) -> float:
    start = time.perf_counter()
    model(text)  # type: ignore[operator]
    return time.perf_counter() - start


def _asked(loop: Connection) -> list[float]:
    loop.send(None)
    values: list[float] = loop.recv()
    return values


def _one_client(port: int, samples: Sequence[str]) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with contextlib.closing(connection):
        _answer(connection, samples[0])
        return [_answer(connection, text) for text in samples]


def _answer(connection: http.client.HTTPConnection, text: str) -> float:
    start = time.perf_counter()
    body = json.dumps({"input": text})
    connection.request("POST", "/predict/it", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    found = json.loads(reply.read())
    seconds = time.perf_counter() - start
    if reply.status != http.HTTPStatus.OK:
        raise InputError(f"The server answered: {found['error']['message']}")
    return seconds


def _many_clients(port: int, samples: Sequence[str]) -> float:
    """Seconds in which all samples are answered, where several clients ask at once."""
    parts = [samples[place::CLIENTS] for place in range(CLIENTS) if samples[place::CLIENTS]]
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(lambda part: _one_client(port, part[:1]), parts))
        start = time.perf_counter()
        list(pool.map(lambda part: _asked_all(port, part), parts))
        return time.perf_counter() - start


def _asked_all(port: int, samples: Sequence[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with contextlib.closing(connection):
        for text in samples:
            _answer(connection, text)


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
