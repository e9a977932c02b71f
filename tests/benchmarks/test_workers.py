"""The other end of a worker: an interruption at any moment leaves no thread that the program would wait for."""

from __future__ import annotations

import threading

import pytest

from edgewright_benchmarks.devices.workers import WorkerProcess


def test_ctrl_c_between_a_watchdog_and_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment a signal meets rarely: the watchdog of a request runs, and the request was not sent."""
    start = threading.Timer.start
    watchdogs: list[threading.Timer] = []

    def interrupted(timer: threading.Timer) -> None:
        start(timer)
        watchdogs.append(timer)
        raise KeyboardInterrupt

    with WorkerProcess() as worker:
        monkeypatch.setattr(threading.Timer, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            worker.peak_memory_bytes()
        monkeypatch.undo()
    (watchdog,) = watchdogs
    watchdog.join(timeout=300)
    assert not watchdog.is_alive()
