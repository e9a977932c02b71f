"""The one meter: engines of a package, each in a process of its own, measured in alternating rounds.

Every engine answers all samples (which warms it up), then the engines take turns: in a round each is timed on the
same samples while the others idle, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.devices.engine_worker import EngineWorker, Place, SampleChanges, WorkerError
from edgewright_benchmarks.devices.here import ThisMachine
from edgewright_benchmarks.measuring.parallel import answers_in_parallel
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.result import NativeAnswers
from edgewright_runtime import EngineInfo
from edgewright_runtime.responses import Timed
from edgewright_runtime.samples import size_of
from edgewright_targets import host_facts

if TYPE_CHECKING:
    from edgewright_benchmarks.devices import Device

# A round is long enough that waking threads after a pause does not show, and short enough to come round often.
_ROUND_SECONDS = 0.25
_CHUNK = 64


@dataclass(frozen=True, kw_only=True)
class MeterSettings:
    """How to measure.

    Attributes:
        rounds: Rounds of every engine.
        calls: Calls of an engine in a round; 0 finds a number that takes a quarter of a second on the first engine.
        loads: Fresh processes in which loading is timed.
        threads: Threads of an engine; None is what the package says, and in a build one for each physical core.
        seed: Decides which samples a round takes, and the order of engines.
        samples: So many of the data at most, drawn from all of it; None is all.
    """

    rounds: int = 15
    calls: int = 0
    loads: int = 3
    threads: int | None = None
    seed: int = 0
    samples: int | None = None


@dataclass(frozen=True, kw_only=True)
class Readings:
    """What was read from one engine.

    Attributes:
        predictions: One a sample.
        rounds: Seconds of calls, and how busy the processor was with them, for each round.
        loads: Seconds from opening the package to the first answer.
        peak_memory_bytes: After all samples were answered.
        info: What runs where, as the runtime says it; None where nothing was loaded.
        native: How the predictions differ from this machine's, where they are an emulator's.
        failure: Why there are no readings, or None.
        changes: What was changed about samples before the engine had them.
    """

    predictions: tuple[Prediction, ...] = ()
    rounds: tuple[Timed, ...] = ()
    loads: tuple[float, ...] = ()
    peak_memory_bytes: int = 0
    info: EngineInfo | None = None
    native: NativeAnswers | None = None
    failure: str | None = None
    changes: SampleChanges = field(default_factory=SampleChanges)

    @property
    def seconds(self) -> tuple[tuple[float, ...], ...]:
        """Seconds of calls, for each round."""
        return tuple(one.seconds for one in self.rounds)

    @property
    def busy(self) -> float | None:
        """How busy the processor was, the median of the rounds; None where no time was taken."""
        return float(np.median([one.busy for one in self.rounds])) if self.rounds else None


def read_engines(
    package: Path,
    engines: Sequence[str],
    samples: Sequence[Any],
    settings: MeterSettings,
    progress: Progress,
    device: Device | None = None,
    answered: Callable[[str, Readings], None] | None = None,
) -> tuple[dict[str, Readings], int]:
    """Measure `engines` of the package on `samples`; also gives the calls that a round had.

    An engine that cannot run, dies or gets stuck has a `failure` and stops taking part; the others go on. On a device
    that an emulator pretends to be, engines answer, and no time is taken.

    Args:
        package: Where the engines are.
        engines: Their names.
        samples: What they are measured on.
        settings: How.
        progress: Told how far it is.
        device: Where; by default here.
        answered: Gets the name and the readings of each engine that has answered all samples, before the next one does;
            what it raises ends the measurement.
    """
    device = device or ThisMachine()
    readings = {name: Readings() for name in engines}
    path = device.path_of(package)
    with device.to_itself(progress), contextlib.ExitStack() as stack:
        workers: dict[str, EngineWorker] = {}
        for name in engines:
            with _recording(readings, name):
                worker = stack.enter_context(device.worker())
                readings[name] = _first_answers(worker, path, name, samples, settings, progress)
                workers[name] = worker
            if answered is not None and readings[name].failure is None:
                answered(name, readings[name])
        if device.machine.emulated:
            return {name: replace(found, loads=(), peak_memory_bytes=0) for name, found in readings.items()}, 0
        if not workers:
            return readings, 0
        calls = settings.calls or _calls(workers, len(samples))
        _rounds(workers, readings, samples, calls, settings, progress)
    with device.to_itself(progress):
        _reload(device, path, samples, settings, readings, progress)
    return readings, calls


def answer_engines(
    package: Path, places: Mapping[str, Place], samples: Sequence[Any], title: str, progress: Progress
) -> dict[str, Readings]:
    """Let engines answer `samples` in workers at their places, as many at once as there are cores.

    For emulated machines: answers are real there, times are not, so none is taken.

    Args:
        package: Where the engines are.
        places: Name of an engine to where it runs.
        samples: What is answered.
        title: Of the bar.
        progress: Where the bar is shown.
    """
    readings = {name: Readings() for name in places}
    bar = progress.bar(title, len(samples) * len(places))
    for name, place in places.items():
        with _recording(readings, name):
            found = answers_in_parallel(place, package, name, samples, host_facts().threads, bar)
            predictions, info, changes = found
            readings[name] = Readings(predictions=tuple(predictions), info=info, changes=changes)
    bar.close()
    return readings


@contextlib.contextmanager
def _recording(readings: dict[str, Readings], name: str) -> Iterator[None]:
    """A worker that fails in the block is the failure of this engine."""
    try:
        yield
    except WorkerError as error:
        readings[name] = replace(readings[name], failure=str(error))


def _first_answers(
    worker: EngineWorker,
    package: PurePath,
    name: str,
    samples: Sequence[Any],
    settings: MeterSettings,
    progress: Progress,
) -> Readings:
    worker.keep(samples)
    loaded = worker.load(package, name, settings.threads)
    predictions: list[Prediction] = []
    bar = progress.bar(f"{name}: answering", len(samples))
    for start in range(0, len(samples), _CHUNK):
        indices = range(start, min(start + _CHUNK, len(samples)))
        predictions += worker.answer(indices)
        bar.update(len(indices))
    bar.close()
    return Readings(
        predictions=tuple(predictions),
        loads=(loaded.seconds,),
        peak_memory_bytes=worker.peak_memory_bytes(),
        info=loaded.engine,
        changes=worker.changes,
    )


def _calls(workers: Mapping[str, EngineWorker], count: int) -> int:
    for worker in workers.values():
        with contextlib.suppress(WorkerError):
            seconds = float(np.median(worker.time(range(min(count, 16))).seconds))
            return int(np.clip(_ROUND_SECONDS / max(seconds, 1e-6), 4, 500))
    return 4


def _rounds(
    workers: Mapping[str, EngineWorker],
    readings: dict[str, Readings],
    samples: Sequence[Any],
    calls: int,
    settings: MeterSettings,
    progress: Progress,
) -> None:
    random = np.random.default_rng(settings.seed)
    by_size = np.argsort([size_of(sample) for sample in samples], kind="stable")
    bar = progress.bar("timing in rounds", settings.rounds * len(workers))
    for _ in range(settings.rounds):
        indices = _alike(by_size, calls, random)
        # A new order each round, so that no engine always runs after the same neighbour.
        for name in random.permutation(list(workers)).tolist():
            if readings[name].failure is None:
                with _recording(readings, name):
                    rounds = (*readings[name].rounds, workers[name].time(indices))
                    readings[name] = replace(readings[name], rounds=rounds)
            bar.update()
    bar.close()


def _alike(by_size: NDArray[np.int64], calls: int, random: np.random.Generator) -> list[int]:
    """Other samples in each round, yet of the same sizes: every n-th from the shortest to the longest.

    A round of short texts beside one of long texts would look like an unsteady machine.
    """
    positions = ((np.arange(calls) + random.random()) * len(by_size) / calls).astype(np.int64)
    return [int(index) for index in random.permutation(by_size[positions])]


def _reload(
    device: Device,
    package: PurePath,
    samples: Sequence[Any],
    settings: MeterSettings,
    readings: dict[str, Readings],
    progress: Progress,
) -> None:
    running = [name for name, found in readings.items() if found.failure is None]
    if settings.loads == 1 or not running:
        return
    bar = progress.bar("timing the load", (settings.loads - 1) * len(running))
    for _ in range(settings.loads - 1):
        for name in running:
            with _recording(readings, name), device.worker() as worker:
                worker.keep(samples[:1])
                loads = (*readings[name].loads, worker.load(package, name, settings.threads).seconds)
                readings[name] = replace(readings[name], loads=loads)
            bar.update()
    bar.close()
