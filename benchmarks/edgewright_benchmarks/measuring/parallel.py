"""Answers of an engine from several workers at once: for emulators, which are slow and whose times do not count."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.devices.engine_worker import Place, SampleChanges
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.progress import Bar

if TYPE_CHECKING:
    from edgewright_runtime import EngineInfo

# Few samples at a time, so that progress is seen and workers end at about the same time.
_CHUNK = 4


def answers_in_parallel(
    place: Place,
    package: Path,
    engine: str,
    samples: Sequence[Any],
    processes: int,
    bar: Bar,
) -> tuple[list[Prediction], EngineInfo, SampleChanges]:
    """The prediction for each sample, in their order, what ran where, what was changed about samples.

    Args:
        place: Where it runs.
        package: The package, as the worker sees it.
        engine: Its name in the package.
        samples: What is answered.
        processes: Workers at once, each with one thread.
        bar: Filled with the samples that are done.

    Raises:
        WorkerError: A worker could not start, load or answer; the others are then ended too.
    """
    chunks = [range(start, min(start + _CHUNK, len(samples))) for start in range(0, len(samples), _CHUNK)]
    waiting = iter(chunks)
    answers = [Prediction({}) for _ in samples]
    lock = threading.Lock()
    failed = threading.Event()
    infos: list[EngineInfo] = []
    changes = SampleChanges()

    def work() -> None:
        nonlocal changes
        try:
            with WorkerProcess(command=place.command) as worker:
                infos.append(worker.load(package, engine, 1, emulate=place.emulate).engine)
                while not failed.is_set():
                    with lock:
                        chunk = next(waiting, None)
                    if chunk is None:
                        with lock:
                            changes = changes.plus(worker.changes)
                        return
                    worker.keep([samples[index] for index in chunk])
                    made = worker.answer(range(len(chunk)))
                    with lock:
                        answers[chunk.start : chunk.stop] = made
                        bar.update(len(chunk))
        except BaseException:
            failed.set()
            raise

    workers = max(1, min(processes, len(chunks)))
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work) for _ in range(workers)]
        try:
            for future in futures:
                future.result()
        finally:
            # Leaving the block waits for all of them: after Ctrl-C too they must not go on to the last sample.
            failed.set()
    return answers, infos[0], changes
