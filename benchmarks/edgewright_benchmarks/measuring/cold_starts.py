"""Cold starts are taken apart: each engine in fresh processes, one after another."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.costs import COLD_START_PARTS, ColdStart
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings, recording
from edgewright_benchmarks.measuring.turns import running_engines, take_turns
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.medians import median_interval
from edgewright_runtime.responses import ColdStarted

if TYPE_CHECKING:
    from edgewright_benchmarks.devices import Device
    from edgewright_benchmarks.devices.engine_worker import EngineWorker


def read_cold_starts(
    devices: Mapping[str, Device],
    places: Mapping[str, tuple[PurePath, str]],
    samples: Sequence[Any],
    settings: MeterSettings,
    readings: dict[str, Readings],
    progress: Progress,
) -> None:
    """Add the cold starts that the settings ask for to the readings of engines that run.

    The first start of each engine is not counted: it brings files into the page cache and modules into the cache of
    bytecode. Engines take turns, so that a machine that slows down slows all of them.
    """
    running = running_engines(readings)
    if not settings.cold_starts or not running:
        return
    with contextlib.ExitStack() as stack:
        # The processes start beside these workers, one for each device. Without an engine they take no processor time.
        workers: dict[int, EngineWorker] = {}
        for name in running:
            device = devices[name]
            with recording(readings, name):
                if id(device) not in workers:
                    workers[id(device)] = stack.enter_context(device.worker())
                    workers[id(device)].keep(samples[:1])

        def start(name: str, turn: int) -> bool:
            with recording(readings, name):
                started = workers[id(devices[name])].cold_start(*places[name], settings.threads)
                if turn:
                    found = readings[name]
                    readings[name] = replace(found, cold_starts=(*found.cold_starts, started))
            return readings[name].failure is None

        if running := running_engines(readings):
            take_turns(running, range(settings.cold_starts + 1), start, "timing cold starts", progress)


def cold_start_of(readings: Sequence[ColdStarted], confidence: float) -> ColdStart | None:
    """The figures of these cold starts; None where there are none."""
    if not readings:
        return None
    parts = {part: median_interval([getattr(one, part) for one in readings], confidence) for part in COLD_START_PARTS}
    return ColdStart(
        readings=tuple(readings), whole=median_interval([one.whole for one in readings], confidence), parts=parts
    )
