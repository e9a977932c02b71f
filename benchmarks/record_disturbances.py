"""Records latencies of the engines of a package by the meter, with known disturbances planted while it runs.

One file a disturbance; `tests/benchmarks/test_recorded_series.py` reads those in `tests/data/recorded-latency`. All of
it runs on one core: the meter, its workers, and a program that computes and is stopped or let go between turns.

    python benchmarks/record_disturbances.py PACKAGE INPUTS.npz FOLDER
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.bench import read_samples
from edgewright_benchmarks.measuring.meter import read_engines
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Bar, Quiet
from edgewright_runtime import Package
from edgewright_targets import host_facts

ROUNDS, CALLS = 20, 12


@dataclass(frozen=True)
class Planted:
    """A disturbance.

    Attributes:
        name: Of the file.
        what: In words.
        runs: Whether the other program computes in a round, counted from 0.
        nicer: By how much the other program is nicer than the meter: 5 leaves it a quarter of the core, 0 a half.
    """

    name: str
    what: str
    runs: Callable[[int], bool]
    nicer: int = 0


PLANTED = (
    Planted("quiet", "nothing", lambda _: False),
    Planted("busy", "a program that computes on the same core in all rounds", lambda _: True),
    Planted(
        "slower-in-mid-run",
        "from the 12th of 20 rounds on another program takes a quarter of the core",
        lambda number: number >= 11,
        nicer=5,
    ),
    Planted("two-modes", "a program computes on the same core in 8 of 20 rounds", lambda number: number % 5 in (1, 3)),
)


class _Switch(Quiet):
    """Progress that lets another program go, or stops it, between rounds of the meter."""

    def __init__(self, planted: Planted, pid: int, engines: int) -> None:
        self._planted, self._pid, self._engines, self._turns = planted, pid, engines, 0

    def bar(self, title: str, total: int) -> Bar:
        """The bar of the rounds is the switch."""
        if not title.startswith("timing in rounds"):
            return super().bar(title, total)
        self._set()
        return _TurnBar(self)

    def turn(self) -> None:
        """An engine had its turn."""
        self._turns += 1
        self._set()

    def _set(self) -> None:
        runs = self._planted.runs(self._turns // self._engines)
        os.kill(self._pid, signal.SIGCONT if runs else signal.SIGSTOP)


class _TurnBar(Bar):
    def __init__(self, switch: _Switch) -> None:
        self._switch = switch

    def update(self, count: int = 1) -> None:
        """One engine had its turn."""
        for _ in range(count):
            self._switch.turn()

    def close(self) -> None:
        """Nothing is left."""


@contextlib.contextmanager
def _looping(first: str) -> Iterator[int]:
    """A program that computes all the time; yields its process id once it has done what comes first."""
    words = [sys.executable, "-c", f"{first}\nprint(flush=True)\nwhile True: pass"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None, "it is a pipe"
            program.stdout.readline()
            yield program.pid
        finally:
            program.kill()


def record(package: Package, data: Path, planted: Planted) -> dict[str, object]:
    """The rounds of all engines of the package with a disturbance."""
    settings = MeterSettings(rounds=ROUNDS, calls=CALLS, loads=1, threads=1)
    samples = read_samples(package, data, settings).samples
    engines = list(package.manifest.engines)
    with _looping(f"import os; os.nice({planted.nicer})") as other:
        os.kill(other, signal.SIGSTOP)
        readings, _ = read_engines(package.root, engines, samples, settings, _Switch(planted, other, len(engines)))
    target = next(iter(package.manifest.baselines))
    return {
        "recorded": {
            "planted": planted.what,
            "program": "benchmarks/record_disturbances.py",
            "processor": host_facts().cpu,
            "threads": 1,
        },
        "baseline": package.manifest.baselines[target],
        "busy": {name: [round(one.busy, 3) for one in found.rounds] for name, found in readings.items()},
        "microseconds": {
            name: [[round(1e6 * seconds) for seconds in one.seconds] for one in found.rounds]
            for name, found in readings.items()
        },
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Records latencies with planted disturbances; Linux only.")
    parser.add_argument("package")
    parser.add_argument("data", type=Path, help="samples (.npz)")
    parser.add_argument("folder", type=Path, help="where the files are written")
    words = "keep the other cores busy with a steady loop, so that what runs there does not show"
    parser.add_argument("--hold-others", action="store_true", help=words)
    parser.add_argument("--only", choices=[one.name for one in PLANTED], help="this one alone")
    options = parser.parse_args()
    *others, mine = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {mine})
    # Other users' programs wait behind the meter, where that is allowed: what disturbs is what was planted.
    with contextlib.suppress(OSError):
        os.nice(-20)
        # Where a session is a group of its own, niceness counts only within it, and that of the group beside others.
        Path("/proc/self/autogroup").write_text("-20", encoding="ascii")
    package = Package.open(options.package)
    with contextlib.ExitStack() as held:
        for core in others if options.hold_others else ():
            held.enter_context(_looping(f"import os; os.sched_setaffinity(0, {{{core}}})"))
        for planted in PLANTED:
            if options.only in (None, planted.name):
                text = json.dumps(record(package, options.data, planted), separators=(",", ":")) + "\n"
                (options.folder / f"{planted.name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
