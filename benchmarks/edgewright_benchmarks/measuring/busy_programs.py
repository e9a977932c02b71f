"""Busy programs beside a measurement: for devices that have other work to do while they run an engine."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from edgewright_benchmarks.child_process import ended_after, ending
from edgewright_targets import EdgewrightError

_COMMAND = (sys.executable, "-P", "-m", "edgewright_benchmarks.measuring.busy_program")
# One core each: their library of matrix products would take all of them.
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "BLIS")}
# Importing numpy takes a second, and many times that beside other programs.
_START_SECONDS = 120.0


@contextlib.contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """Keep so many cores busy for as long as the block lasts; the programs end with it, and with this process.

    Raises:
        EdgewrightError: A program could not start, or ended before the block did.
    """
    with contextlib.ExitStack() as stack:
        programs = [stack.enter_context(_program()) for _ in range(count)]
        for program in programs:
            _wait(program)
        yield
        for program in programs:
            if program.poll() is not None:
                raise EdgewrightError(
                    f"A busy program of --beside ended {ending(program.returncode)} during the measurement, so its "
                    "times are not those beside busy programs.",
                    hint="Measure again.",
                )


@contextlib.contextmanager
def _program() -> Iterator[subprocess.Popen[bytes]]:
    program = subprocess.Popen(
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C reaches it too, and it has nothing to say then.
        stderr=subprocess.DEVNULL,
        env=os.environ | _ONE_THREAD,
    )
    try:
        yield program
    finally:
        program.kill()
        program.wait()
        for pipe in (program.stdin, program.stdout):
            if pipe is not None:
                pipe.close()


def _wait(program: subprocess.Popen[bytes]) -> None:
    """Wait until it computes."""
    assert program.stdout is not None, "its output is a pipe"
    with ended_after(_START_SECONDS, program.kill):
        line = program.stdout.readline()
    if line.strip() != b"busy":
        raise EdgewrightError(f"A busy program of --beside could not start: it ended {ending(program.wait())}.")


def busy_words(count: int) -> str:
    """Busy programs as words: `1 busy program`.

    >>> from edgewright_benchmarks.measuring.busy_programs import busy_words
    >>> busy_words(1), busy_words(2)
    ('1 busy program', '2 busy programs')
    """
    return f"{count} busy program{'s' * (count != 1)}"
