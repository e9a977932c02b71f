"""An engine answers all samples in its worker, which warms it up; samples that fail are counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from edgewright_benchmarks.devices.engine_worker import EngineWorker, WorkerError
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.predictions import Prediction, same_bits
from edgewright_benchmarks.progress import Progress
from edgewright_runtime.samples import size_of
from edgewright_targets.errors import first_few

_CHUNK = 64
# Numbers of failing samples that a message shows.
_SHOWN_FAILURES = 20
# Kinds of errors after which a worker goes on: the next sample may do.
_OF_A_SAMPLE = ("input", "bug")


def first_answers(
    worker: EngineWorker,
    place: tuple[PurePath, str],
    name: str,
    samples: Sequence[Any],
    settings: MeterSettings,
    progress: Progress,
    known: tuple[str, Readings],
) -> Readings:
    """Load an engine and let it answer all samples; `known` are equal predictions and whose they are, see `Readings`.

    Raises:
        WorkerError: It cannot be loaded, ends, or fails on samples, which are then counted.
    """
    worker.keep(samples)
    try:
        loaded = worker.load(*place, settings.threads)
    except WorkerError as error:
        if error.kind in _OF_A_SAMPLE:
            _count_failures(worker, place, samples, settings, progress)
        raise
    same_as, theirs = known
    compared = _equal_answers(worker, samples, theirs.predictions) if theirs.predictions else 0
    predictions = list(theirs.predictions) if compared else _all_answers(worker, name, len(samples), progress)
    return Readings(
        predictions=tuple(predictions),
        loads=(loaded.seconds,),
        peak_memory_bytes=worker.peak_memory_bytes(),
        info=loaded.engine,
        changes=theirs.changes if compared else worker.changes,
        same_as=same_as if compared else "",
        compared=compared,
    )


def _count_failures(
    worker: EngineWorker,
    place: tuple[PurePath, str],
    samples: Sequence[Any],
    settings: MeterSettings,
    progress: Progress,
) -> None:
    """Where loading failed, which answers the first sample: raise with all samples that fail, if it was the sample."""
    worker.keep([])
    worker.load(*place, settings.threads)
    worker.keep(samples)
    _all_answers(worker, place[1], len(samples), progress)


def _all_answers(worker: EngineWorker, name: str, count: int, progress: Progress) -> list[Prediction]:
    predictions: list[Prediction] = []
    bar = progress.bar(f"{name}: answering", count)
    failures: dict[int, WorkerError] = {}
    for start in range(0, count, _CHUNK):
        indices = range(start, min(start + _CHUNK, count))
        predictions += _chunk_answers(worker, indices, failures)
        bar.update(len(indices))
    bar.close()
    if failures:
        numbers = first_few((index + 1 for index in failures), shown=_SHOWN_FAILURES)
        raise WorkerError(
            f"It fails on {len(failures):,} of {count:,} samples: {numbers}. Sample {min(failures) + 1}: "
            f"{next(iter(failures.values()))}"
        )
    return predictions


def _chunk_answers(worker: EngineWorker, indices: range, failures: dict[int, WorkerError]) -> list[Prediction]:
    """The predictions of these samples; a sample that fails alone is noted, so that all of them can be counted."""
    try:
        return worker.answer(indices)
    except WorkerError as error:
        # Of a process that ended, or that is not heard any more, no sample can be asked.
        if error.kind not in _OF_A_SAMPLE:
            raise
    found: list[Prediction] = []
    for index in indices:
        try:
            found += worker.answer([index])
        except WorkerError as error:
            if error.kind not in _OF_A_SAMPLE:
                raise
            failures[index] = error
    return found


def _equal_answers(worker: EngineWorker, samples: Sequence[Any], theirs: Sequence[Prediction]) -> int:
    """On how many samples, from the smallest to the largest, it answers as `theirs` to the bit; 0 if not on all."""
    chosen = spread(samples)
    equal = all(same_bits(mine, theirs[index]) for mine, index in zip(worker.answer(chosen), chosen, strict=True))
    return len(chosen) if equal else 0


def spread(samples: Sequence[Any]) -> list[int]:
    """Some of the samples, from the smallest to the largest."""
    by_size = np.argsort([size_of(sample) for sample in samples], kind="stable")
    places = np.linspace(0, len(samples) - 1, min(_CHUNK, len(samples))).astype(np.int64)
    return [int(index) for index in by_size[places]]
