"""What is read of one engine, before anything is judged."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgewright_benchmarks.costs import UnknownFigure
from edgewright_benchmarks.devices.engine_worker import SampleChanges, WorkerError
from edgewright_benchmarks.engine_result import Interval, NativeAnswers
from edgewright_benchmarks.predictions import Prediction
from edgewright_runtime import EngineInfo
from edgewright_runtime.responses import ColdStarted, EnergyRead, Timed, TokenTimes

if TYPE_CHECKING:
    from edgewright_benchmarks.devices import Device


@dataclass(frozen=True)
class PackagedEngine:
    """An engine of a package, where those of several packages or environments are measured together.

    Attributes:
        package: Where it is.
        engine: Its name there.
        device: Where it runs; None is where all others do.
    """

    package: Path
    engine: str
    device: Device | None = None


@dataclass(frozen=True, kw_only=True)
class Readings:
    """What was read from one engine.

    Attributes:
        predictions: One a sample.
        rounds: Seconds of calls, and how busy the processor was with them, for each round.
        rounds_beside: The same with busy programs beside; empty where there were none.
        beside: How many there were.
        loads: Seconds from opening the package to the first answer.
        cold_starts: Seconds of the parts of fresh processes up to the first answer.
        token_times: How fast texts came, for each prompt.
        energy: What the sensors of energy said of some calls.
        unknown: Figures that were asked for and could not be read.
        peak_memory_bytes: After all samples were answered.
        info: What runs where, as the runtime says it; None where nothing was loaded.
        native: How the predictions differ from this machine's, where they are an emulator's.
        failure: Why there are no readings, or None.
        changes: What was changed about samples before the engine had them.
        same_as: Engine of the same graphs and arithmetic whose predictions it has; empty where they are its own.
        compared: Samples on which predictions that were handed on, from that engine or from an earlier measurement of
            this one, were found to be equal in every bit; the others it did not answer.
        guide: See `EngineResult.guide`; None where it was not asked for, and for engines that are not fast enough.
        retimed: See `EngineResult.retimed`; it comes from another measurement than the rounds.
    """

    predictions: tuple[Prediction, ...] = ()
    rounds: tuple[Timed, ...] = ()
    rounds_beside: tuple[Timed, ...] = ()
    beside: int = 0
    loads: tuple[float, ...] = ()
    cold_starts: tuple[ColdStarted, ...] = ()
    token_times: tuple[TokenTimes, ...] = ()
    energy: tuple[EnergyRead, ...] = ()
    unknown: tuple[UnknownFigure, ...] = ()
    peak_memory_bytes: int = 0
    info: EngineInfo | None = None
    native: NativeAnswers | None = None
    failure: str | None = None
    changes: SampleChanges = field(default_factory=SampleChanges)
    same_as: str = ""
    compared: int = 0
    guide: float | None = None
    retimed: Interval | None = None

    @property
    def seconds(self) -> tuple[tuple[float, ...], ...]:
        """Seconds of calls, for each round that decides: beside busy programs, where there were some."""
        return tuple(one.seconds for one in self.rounds_beside or self.rounds)

    @property
    def seconds_alone(self) -> tuple[tuple[float, ...], ...]:
        """Seconds of calls without busy programs, for each round."""
        return tuple(one.seconds for one in self.rounds)

    @property
    def busy(self) -> float | None:
        """How busy the processor was with it alone, the median of the rounds; None where no time was taken."""
        return float(np.median([one.busy for one in self.rounds])) if self.rounds else None


@contextlib.contextmanager
def recording(readings: dict[str, Readings], name: str) -> Iterator[None]:
    """A worker that fails in the block is the failure of this engine."""
    try:
        yield
    except WorkerError as error:
        readings[name] = replace(readings[name], failure=str(error))
