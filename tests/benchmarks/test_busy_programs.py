"""Busy programs run beside a measurement and end with it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from edgewright_benchmarks.measuring import busy_programs as room
from edgewright_benchmarks.measuring.busy_programs import busy_programs
from edgewright_targets import EdgewrightError

_STARTS_ONE = """
import time
from edgewright_benchmarks.measuring.busy_programs import busy_programs
with busy_programs(1):
    print("started", flush=True)
    time.sleep(600)
"""


def running(parent: int | None = None) -> list[psutil.Process]:
    """The busy programs that a process started and that did not end."""
    children = psutil.Process(parent).children()
    return [child for child in children if "edgewright_benchmarks.measuring.busy_program" in child.cmdline()]


def spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def test_each_computes_on_one_thread_until_the_block_ends() -> None:
    with busy_programs(2):
        programs = running()
        assert len(programs) == 2
        before = [spent(program) for program in programs]
        # Waits for work that is done, however long that takes here.
        while any(spent(program) < start + 0.1 for program, start in zip(programs, before, strict=True)):
            time.sleep(0.01)
        # One computes, one waits for the end.
        assert {program.num_threads() for program in programs} == {2}
    assert not any(program.is_running() for program in programs)


def test_they_end_where_the_block_fails() -> None:
    found: list[psutil.Process] = []

    def fail() -> None:
        with busy_programs(1):
            found.extend(running())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert len(found) == 1
    assert not found[0].is_running()


def test_they_end_with_a_process_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _STARTS_ONE], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline().strip() == b"started"
        (program,) = running(starter.pid)
        os.kill(starter.pid, signal.SIGKILL)
        starter.wait()
        # Nobody waits for it: its new parent may leave it as a zombie.
        while program.is_running() and program.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)


def test_one_that_dies_is_said() -> None:
    def kill_it() -> None:
        with busy_programs(1):
            (program,) = running()
            program.kill()
            # Left to be waited for by the room: a status would say so while threads of it still end.
            os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)

    with pytest.raises(EdgewrightError, match="A busy program of --beside ended by signal 9 during"):
        kill_it()


def test_one_that_cannot_start_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(room, "_COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(EdgewrightError, match="could not start: it ended with exit code 3"), busy_programs(1):
        pass
