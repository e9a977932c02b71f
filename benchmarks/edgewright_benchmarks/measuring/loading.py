"""Loading is timed in fresh processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings, recording
from edgewright_benchmarks.measuring.turns import running_engines, take_turns
from edgewright_benchmarks.progress import Progress

if TYPE_CHECKING:
    from edgewright_benchmarks.devices import Device


def reload(
    devices: Mapping[str, Device],
    places: Mapping[str, tuple[PurePath, str]],
    samples: Sequence[Any],
    settings: MeterSettings,
    readings: dict[str, Readings],
    progress: Progress,
) -> None:
    """Add the seconds of loading in fresh processes to the readings of engines that run."""
    running = running_engines(readings)
    if settings.loads == 1 or not running:
        return

    def load(name: str, _: int) -> bool:
        with recording(readings, name), devices[name].worker() as worker:
            worker.keep(samples[:1])
            loads = (*readings[name].loads, worker.load(*places[name], settings.threads).seconds)
            readings[name] = replace(readings[name], loads=loads)
        return readings[name].failure is None

    take_turns(running, range(settings.loads - 1), load, "timing the load", progress)
