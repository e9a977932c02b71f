"""Energy of calls, where the machine that runs them can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from edgewright_benchmarks.costs import Energy, EnergyReading, UnknownFigure
from edgewright_benchmarks.devices.engine_worker import EngineWorker, WorkerError
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.measuring.turns import running_engines, take_turns
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.medians import median_interval
from edgewright_runtime.responses import EnergyRead

# The name under which the figure is unknown.
ENERGY: Final = "energy"
# Each reading takes seconds; so many have an interval of 95 %.
_MOST_READINGS: Final = 6
_SAMPLES: Final = 64


def read_energies(
    workers: Mapping[str, EngineWorker],
    readings: dict[str, Readings],
    samples: Sequence[Any],
    settings: MeterSettings,
    progress: Progress,
) -> None:
    """Add what sensors say to the readings of engines that run, or why they say nothing.

    Engines take turns. An engine that cannot be read keeps its other readings.
    """
    running = running_engines(readings, workers)
    if not settings.energy or not running:
        return
    drawn = np.random.default_rng(settings.seed).permutation(len(samples))[:_SAMPLES].tolist()

    def read(name: str, _: int) -> bool:
        readings[name] = _with(readings[name], workers[name], drawn)
        return not any(one.figure == ENERGY for one in readings[name].unknown)

    take_turns(running, range(min(settings.rounds, _MOST_READINGS)), read, "reading energy", progress)


def _with(found: Readings, worker: EngineWorker, indices: Sequence[int]) -> Readings:
    try:
        read = worker.energy(indices)
    except WorkerError as error:
        return replace(found, energy=(), unknown=(*found.unknown, UnknownFigure(ENERGY, str(error))))
    if not read.sensors:
        reasons = tuple(UnknownFigure(ENERGY, reason) for reason in read.unknown)
        return replace(found, energy=(), unknown=(*found.unknown, *reasons))
    return replace(found, energy=(*found.energy, read))


def energy_of(reads: Sequence[EnergyRead], confidence: float) -> tuple[Energy, ...]:
    """The figures of each sensor that all readings have."""
    names = [one.name for one in reads[0].sensors] if reads else []
    by_sensor: dict[str, list[EnergyReading]] = {
        name: [
            EnergyReading(joules=one.joules, seconds=read.seconds, calls=read.calls, idle_watts=one.idle_watts)
            for read in reads
            for one in read.sensors
            if one.name == name
        ]
        for name in names
    }
    return tuple(
        Energy(
            sensor=name,
            readings=tuple(found),
            call=median_interval([one.joules / one.calls for one in found], confidence),
            above_idle=median_interval(
                [(one.joules - one.idle_watts * one.seconds) / one.calls for one in found], confidence
            ),
            idle_watts=median_interval([one.idle_watts for one in found], confidence),
            tokens=reads[0].tokens,
        )
        for name, found in by_sensor.items()
        if len(found) == len(reads)
    )
