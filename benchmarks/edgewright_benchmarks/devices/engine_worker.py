"""What measuring asks of a process with one engine in it, wherever it runs, and what it gives or raises."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from edgewright_benchmarks.predictions import Prediction
    from edgewright_runtime.finished import Finished
    from edgewright_runtime.requests import TimeTokens
    from edgewright_runtime.responses import ColdStarted, EnergyRead, Loaded, Timed, TokenTimes
    from edgewright_runtime.selftest import SelfTestReport
    from edgewright_targets import HostFacts

# -P: a file of the user's own that is called numpy.py must not be taken for the library.
WORKER_COMMAND = (sys.executable, "-P", "-m", "edgewright_runtime.worker")


@dataclass(frozen=True)
class SampleChanges:
    """What was changed about samples before a model had them, such as that they were cut or resampled.

    Attributes:
        kinds: Kind of a change to the number of samples that it was made to, and the sentence about the first of them.
    """

    kinds: dict[str, tuple[int, str]] = field(default_factory=dict)

    def plus(self, other: SampleChanges) -> SampleChanges:
        """These and those of other samples."""
        kinds = dict(self.kinds)
        for kind, (count, sentence) in other.kinds.items():
            before, first = kinds.get(kind, (0, sentence))
            kinds[kind] = (before + count, first)
        return SampleChanges(kinds)

    def sentences(self, samples: int) -> tuple[str, ...]:
        """For people: of so many samples."""
        return tuple(f"{count:,} of {samples:,} samples: {first}" for count, first in self.kinds.values())


@dataclass(frozen=True)
class Place:
    """Where an engine runs; by default this machine.

    Attributes:
        command: Starts a worker there.
        emulate: Its provider emulates the hardware there; see `WorkerProcess.load`.
        facts: What answers there depend on beside the engine, by name; empty for this machine.
    """

    command: tuple[str, ...] = WORKER_COMMAND
    emulate: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


class WorkerError(Exception):
    """A worker could not do what it was asked; the text says why, for people.

    Attributes:
        kind: `input`: what was asked cannot be done; `check`: a check ran and said no; else a bug, or its death.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class ConnectionLostError(WorkerError):
    """The connection to a worker ended; of the worker itself nothing is known.

    Attributes:
        hint: What the reader can do about it.
        lasting: Trying again would end the same way.
    """

    def __init__(self, message: str, *, hint: str = "", lasting: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.lasting = lasting


class EngineWorker(Protocol):
    """A process with one engine in it, on this machine or elsewhere; `WorkerProcess` describes the methods."""

    machine: HostFacts
    # Of all samples answered so far.
    changes: SampleChanges

    def keep(self, samples: Sequence[Any]) -> None:
        """Give it its samples."""

    def load(self, package: PurePath, engine: str | None, threads: int | None) -> Loaded:
        """Activate an engine; None is the one that the package prefers there."""

    def cold_start(self, package: PurePath, engine: str, threads: int | None) -> ColdStarted:
        """Start an engine in a fresh process there, which answers the first of the samples."""

    def answer(self, indices: Sequence[int]) -> list[Prediction]:
        """Predictions for these samples."""

    def time(self, indices: Sequence[int]) -> Timed:
        """Seconds of a call for each of these samples."""

    def time_tokens(self, request: TimeTokens) -> TokenTimes:
        """How fast a text comes after a prompt of a length."""

    def energy(self, indices: Sequence[int]) -> EnergyRead:
        """What sensors of energy say there of calls with these samples."""

    def verify(self, package: PurePath, engine: str | None, *, strict: bool) -> SelfTestReport:
        """Check a package there."""

    def keep_finished(self, package: PurePath, found: Finished) -> None:
        """Keep what was found about an engine where it runs."""

    def peak_memory_bytes(self) -> int:
        """Peak resident memory, 0 where it is not known."""

    def __enter__(self) -> Self:
        """The worker, for a `with` block."""

    def __exit__(self, *_: object) -> None:
        """End it."""
