"""A worker on a device: where its connection ends, another process takes its place and goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from edgewright_benchmarks.devices.engine_worker import ConnectionLostError, SampleChanges, WorkerError
from edgewright_benchmarks.predictions import Prediction

if TYPE_CHECKING:
    from edgewright_benchmarks.devices.workers import WorkerProcess
    from edgewright_runtime.finished import Finished
    from edgewright_runtime.requests import TimeTokens
    from edgewright_runtime.responses import ColdStarted, EnergyRead, Loaded, Timed, TokenTimes
    from edgewright_runtime.selftest import SelfTestReport
    from edgewright_targets import HostFacts

T = TypeVar("T")

# A request that ends the connection so many times in a row is what ends it: it takes the device down, or its memory.
_TRIES = 3


class Reconnecting(Protocol):
    """A device whose connection may end and come back."""

    def start(self) -> WorkerProcess:
        """A process of a worker there, which does not outlive a lost connection."""

    def recover(self) -> None:
        """Have a connection again after a worker lost its own."""


class RemoteWorker:
    """An `EngineWorker`; what it was given and told to load is repeated to each new process.

    Args:
        device: Where; it brings the connection back.
    """

    def __init__(self, device: Reconnecting) -> None:
        self._device = device
        self._process: WorkerProcess | None = None
        self._samples: list[Any] = []
        self._loaded: tuple[PurePath, str | None, int | None] | None = None
        # The process has not answered what the one before it had answered.
        self._cold = False
        self._replaced = False
        self.changes = SampleChanges()
        self.machine: HostFacts = self._do("hello", lambda process: process.machine)

    def keep(self, samples: Sequence[Any]) -> None:
        """Give it its samples."""
        self._samples = list(samples)
        self._do("samples", lambda process: process.keep(self._samples))

    def load(self, package: PurePath, engine: str | None, threads: int | None) -> Loaded:
        """Activate an engine."""
        answer = self._do("load", lambda process: process.load(package, engine, threads))
        self._loaded = (package, engine, threads)
        self._cold = False
        return answer

    def cold_start(self, package: PurePath, engine: str, threads: int | None) -> ColdStarted:
        """Start an engine in a fresh process there; the connection is not part of its time."""
        return self._do("cold_start", lambda process: process.cold_start(package, engine, threads))

    def answer(self, indices: Sequence[int]) -> list[Prediction]:
        """Predictions for these samples."""
        made, self.changes = self._do("answer", lambda process: (process.answer(indices), process.changes))
        return made

    def time(self, indices: Sequence[int]) -> Timed:
        """Seconds of a call for each of these samples."""

        def timed(process: WorkerProcess) -> Timed:
            if self._cold:
                # All samples were the warm-up of the process before; these are this one's.
                process.answer(indices)
                self._cold = False
            return process.time(indices)

        return self._do("time", timed)

    def time_tokens(self, request: TimeTokens) -> TokenTimes:
        """How fast a text comes after a prompt of a length."""
        return self._do("time_tokens", lambda process: process.time_tokens(request))

    def energy(self, indices: Sequence[int]) -> EnergyRead:
        """What sensors of energy say there of calls with these samples."""
        return self._do("energy", lambda process: process.energy(indices))

    def verify(self, package: PurePath, engine: str | None, *, strict: bool) -> SelfTestReport:
        """Check a package there."""
        return self._do("verify", lambda process: process.verify(package, engine, strict=strict))

    def keep_finished(self, package: PurePath, found: Finished) -> None:
        """Keep there what was found about an engine, where `load` finds it."""
        self._do("finished", lambda process: process.keep_finished(package, found))

    def peak_memory_bytes(self) -> int:
        """Peak resident memory; 0 where a process took another one's place and answered only a part."""
        return self._do("memory", lambda process: 0 if self._replaced else process.peak_memory_bytes())

    def _do(self, operation: str, ask: Callable[[WorkerProcess], T]) -> T:
        losses: list[ConnectionLostError] = []
        while len(losses) < _TRIES:
            try:
                return ask(self._running())
            except ConnectionLostError as error:
                losses.append(error)
                self.close()
                self._device.recover()
        raise WorkerError(f"The connection ended {_TRIES} times in a row during '{operation}'. {losses[-1]}")

    def _running(self) -> WorkerProcess:
        if self._process is not None:
            return self._process
        process = self._device.start()
        try:
            if self._samples:
                process.keep(self._samples)
            if self._loaded is not None:
                process.load(*self._loaded)
                self._cold = self._replaced = True
        except BaseException:
            process.close()
            raise
        self._process = process
        return process

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
