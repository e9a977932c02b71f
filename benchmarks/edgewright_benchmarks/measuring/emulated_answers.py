"""Engines answer in several workers at once: for emulated machines, where answers are real and times are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgewright_benchmarks.devices.engine_worker import Place, SampleChanges
from edgewright_benchmarks.measuring.answering import spread
from edgewright_benchmarks.measuring.parallel import answers_in_parallel
from edgewright_benchmarks.measuring.readings import Readings, recording
from edgewright_benchmarks.predictions import Prediction, same_bits
from edgewright_benchmarks.progress import Bar, Progress
from edgewright_runtime import EngineInfo
from edgewright_targets import host_facts


def answer_engines(
    package: Path,
    places: Mapping[str, Place],
    samples: Sequence[Any],
    title: str,
    progress: Progress,
    earlier: Mapping[str, Readings] | None = None,
) -> dict[str, Readings]:
    """Let engines answer `samples` in workers at their places, as many at once as there are cores.

    For emulated machines: answers are real there, times are not, so none is taken.

    Args:
        package: Where the engines are.
        places: Name of an engine to where it runs.
        samples: What is answered.
        title: Of the bar.
        progress: Where the bar is shown.
        earlier: See `read_engines`.
    """
    readings = {name: Readings() for name in places}
    bar = progress.bar(title, len(samples) * len(places))
    for name, place in places.items():
        with recording(readings, name):
            before = (earlier or {}).get(name, Readings())
            readings[name] = _answers_there(place, package, name, samples, before, bar)
    bar.close()
    return readings


def _answers_there(
    place: Place, package: Path, name: str, samples: Sequence[Any], before: Readings, bar: Bar
) -> Readings:
    """What an engine answers at a place; for most samples what it answered before, if that was read."""
    predictions = dict(enumerate(before.predictions))
    again = spread(samples) if predictions else list(range(len(samples)))
    made, info, changes = _some_answers(place, package, name, samples, again, bar)
    equal = bool(predictions) and all(same_bits(one, predictions[index]) for index, one in made.items())
    others = sorted(set(range(len(samples))) - set(again))
    if equal:
        bar.update(len(others))
        return replace(before, info=info, compared=len(again))
    if others:
        rest, _, more = _some_answers(place, package, name, samples, others, bar)
        made, changes = {**made, **rest}, changes.plus(more)
    return Readings(predictions=tuple(made[index] for index in range(len(samples))), info=info, changes=changes)


def _some_answers(
    place: Place, package: Path, name: str, samples: Sequence[Any], indices: Sequence[int], bar: Bar
) -> tuple[dict[int, Prediction], EngineInfo, SampleChanges]:
    part = [samples[index] for index in indices]
    made, info, changes = answers_in_parallel(place, package, name, part, host_facts().threads, bar)
    return dict(zip(indices, made, strict=True)), info, changes
