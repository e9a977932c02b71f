"""Processes that we start and talk to: how they ended, what they wrote last, and an end for those that are stuck."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import IO

# What is read of the end of standard error, and shown of its last line: a traceback's last line is some words.
_ERRORS_BYTES = 64 * 2**10
_WORDS_LIMIT = 1000


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session, and what it started: one of these may hold the other end of a pipe."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def exit_code(process: subprocess.Popen[bytes], seconds: float) -> int:
    """The exit code of a process that has so many seconds to end by itself; then it is killed."""
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def last_lines(errors: IO[bytes]) -> list[str]:
    """The last lines of what a process wrote to its standard error, which may be of any length."""
    errors.seek(0, 2)
    errors.seek(max(0, errors.tell() - _ERRORS_BYTES))
    return errors.read(_ERRORS_BYTES).decode(errors="replace").strip().splitlines()


def ending(code: int, *, through_shell: bool = False) -> str:
    """How a process ended, in words, such as `with exit code 3`.

    Args:
        code: Its exit code, negative where a signal ended it.
        through_shell: A shell ran it, which gives 128 and the signal as the exit code.
    """
    if through_shell and code > 128:
        return f"by signal {code - 128}"
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


def last_words(lines: list[str]) -> str:
    """The last of these lines as a sentence to append; empty where there is no line."""
    return f" Its last output: {lines[-1][:_WORDS_LIMIT]}" if lines else ""


@contextlib.contextmanager
def ended_after(seconds: float | None, end: Callable[[], None]) -> Iterator[None]:
    """Call `end` where the block takes longer than so many seconds; None waits as long as it takes.

    Killing a process ends a read of its pipe, which a signal or a socket timeout would not do.
    """
    watchdog = threading.Timer(seconds or 0, end)
    # Ctrl-C may come at any moment, between two lines too: nothing waits for a watchdog that was not called off.
    watchdog.daemon = True
    try:
        if seconds is not None:
            watchdog.start()
        yield
    finally:
        watchdog.cancel()
