"""Answers of an engine whose hardware is not here, from its provider's emulator: accuracy is real, times are not."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from edgewright_benchmarks.meter import Readings
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.workers import WorkerError, WorkerProcess
from edgewright_targets.host import usable_threads


def answer_in_emulator(
    package: Path, engine: str, samples: Sequence[Any], progress: Progress, *, processes: int | None = None
) -> Readings:
    """Answer `samples` with `engine` in its emulator; there are no times in what this gives.

    Args:
        package: A package that holds the engine, a draft is enough.
        engine: Its name.
        samples: What to answer.
        progress: Told of each answer, so that it can estimate the end.
        processes: Emulators side by side; one for each processor unless told otherwise.
    """
    readings = Readings()
    waiting: SimpleQueue[int] = SimpleQueue()
    for index in range(len(samples)):
        waiting.put(index)
    answers: dict[int, Any] = {}
    bar = progress.bar(f"{engine}: answering in the emulator", len(samples))
    lock = threading.Lock()

    def work() -> None:
        with WorkerProcess() as worker:
            worker.keep(samples)
            _, info = worker.load(package, engine, None, emulate=True)
            while readings.failure is None:
                try:
                    index = waiting.get_nowait()
                except Empty:
                    break
                # One at a time: an answer takes seconds, and whoever is free takes the next.
                (answer,) = worker.answer([index])
                with lock:
                    answers[index] = answer
                    bar.update()
            with lock:
                readings.info = info
                readings.peak_memory_bytes = max(readings.peak_memory_bytes, worker.peak_memory_bytes())

    count = min(processes or usable_threads(), len(samples))
    try:
        with ThreadPoolExecutor(count) as pool:
            for future in [pool.submit(work) for _ in range(count)]:
                try:
                    future.result()
                except WorkerError as error:
                    readings.failure = str(error)
    finally:
        bar.close()
    if readings.failure is None:
        readings.outputs = [answers[index] for index in range(len(samples))]
    return readings
