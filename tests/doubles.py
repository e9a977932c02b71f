"""What stands in tests for something else: progress that keeps what it is told, this machine for an emulator."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from edgewright_benchmarks.devices.engine_worker import WORKER_COMMAND
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler import emulators
from edgewright_runtime.responses import Timed
from edgewright_targets.host import architecture

# The least that can be measured, for tests that are about everything else; `command.QUICK` on the command line.
QUICK_METER = MeterSettings(rounds=2, calls=4, loads=1)

_STAND_IN = "stand_in_for_an_emulator"


class Recording(Quiet):
    """Progress that keeps what it is told.

    Attributes:
        notes: All lines, in order.
        titles: The titles of all bars.
    """

    def __init__(
        self, on_note: Callable[[str], None] | None = None, on_step: Callable[[str, int], None] | None = None
    ) -> None:
        """`on_note` hears each line, and `on_step`, at each step of a bar, its title and how many steps are done."""
        self.notes: list[str] = []
        self.titles: list[str] = []
        self._on_note, self._on_step = on_note, on_step

    def note(self, text: str) -> None:
        self.notes.append(text)
        if self._on_note is not None:
            self._on_note(text)

    def bar(self, title: str, total: int) -> _Bar:
        assert total > 0
        self.titles.append(title)
        return _Bar(title, self._on_step)


class _Bar:
    def __init__(self, title: str, on_step: Callable[[str, int], None] | None) -> None:
        self._title, self._on_step, self._done = title, on_step, 0

    def update(self, steps: int = 1) -> None:
        self._done += steps
        if self._on_step is not None:
            self._on_step(self._title, self._done)

    def close(self) -> None:
        pass


def recorded_times(patch: pytest.MonkeyPatch, seconds: Mapping[str, Sequence[float]]) -> None:
    """Engines run as ever, and each call takes what was recorded once: no choice depends on how busy this machine is.

    `seconds` is, for each engine, the seconds of a call in each round; the last again where there are more rounds.
    """
    load, running, turns = WorkerProcess.load, dict[int, str](), dict[int, int]()

    def loading(worker: WorkerProcess, package: Path, engine: str, *arguments: Any, **options: Any) -> Any:
        running[id(worker)], turns[id(worker)] = engine, -1
        return load(worker, package, engine, *arguments, **options)

    def time(worker: WorkerProcess, indices: Sequence[int]) -> Timed:
        turn = turns[id(worker)] = turns[id(worker)] + 1
        recorded = seconds[running[id(worker)]]
        return Timed((recorded[min(turn, len(recorded) - 1)],) * len(indices), 1.0)

    patch.setattr(WorkerProcess, "load", loading)
    patch.setattr(WorkerProcess, "time", time)


def stand_in_emulator(
    patch: pytest.MonkeyPatch, missing: str | None = None, facts: Mapping[str, str] | None = None
) -> None:
    """A worker on this machine in the place of an emulator of its architecture; `missing` says that it is not there."""
    module = types.ModuleType(_STAND_IN)
    facts = {"version": "1"} if facts is None else facts
    prepared = types.SimpleNamespace(command=lambda cpu: WORKER_COMMAND, facts=lambda: dict(facts))
    module.__dict__.update(missing=lambda: missing, prepare=lambda progress: prepared)
    patch.setitem(sys.modules, _STAND_IN, module)
    patch.setitem(emulators.EMULATORS, architecture(), _STAND_IN)
