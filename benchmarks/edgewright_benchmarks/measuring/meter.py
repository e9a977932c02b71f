"""The one meter: engines of a package, each in a process of its own, measured in alternating rounds.

Every engine answers all samples (which warms it up), then the engines take turns: in a round each is timed on the
same samples while the others idle, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.devices.engine_worker import EngineWorker
from edgewright_benchmarks.devices.here import ThisMachine
from edgewright_benchmarks.measuring.answering import first_answers
from edgewright_benchmarks.measuring.busy_programs import busy_programs
from edgewright_benchmarks.measuring.cold_starts import read_cold_starts
from edgewright_benchmarks.measuring.energy import read_energies
from edgewright_benchmarks.measuring.guide import Guide, read_guides
from edgewright_benchmarks.measuring.loading import reload
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import PackagedEngine, Readings, recording
from edgewright_benchmarks.measuring.rounds import calls_of_a_round, time_in_rounds
from edgewright_benchmarks.measuring.text_speed import read_text_speed
from edgewright_benchmarks.progress import Progress

if TYPE_CHECKING:
    from edgewright_benchmarks.devices import Device


def read_engines(
    package: Path,
    engines: Sequence[str],
    samples: Sequence[Any],
    settings: MeterSettings,
    progress: Progress,
    device: Device | None = None,
    answered: Callable[[str, Readings], None] | None = None,
    same: Mapping[str, str] | None = None,
    guide: Guide | None = None,
    earlier: Mapping[str, Readings] | None = None,
    packaged: Mapping[str, PackagedEngine] | None = None,
    enough: Callable[[Mapping[str, Readings]], bool] | None = None,
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
        same: Engine to an earlier one of the same graphs, provider and arithmetic, such as one of another number of
            threads. It answers a part of the samples. Where all its outputs are equal in every bit, it has the
            predictions of the other for the rest.
        guide: Read how far engines are from float, of those that are shown not to be slower.
        earlier: Engine to what was read from it before, with the same settings on the same samples. It answers a part
            of them again. Where all its outputs are equal in every bit, it has its earlier predictions for the rest.
        packaged: Name to the engine that it stands for, where they are not all in `package` under these names.
        enough: Whether the rounds so far are enough; asked where the settings allow more, see `looks`. Beside busy
            programs there are as many as alone.
    """
    device = device or ThisMachine()
    readings = {name: Readings() for name in engines}
    given = packaged or {name: PackagedEngine(package, name) for name in engines}
    devices = {name: one.device or device for name, one in given.items()}
    places = {name: (devices[name].path_of(one.package), one.engine) for name, one in given.items()}
    with device.to_itself(progress), contextlib.ExitStack() as stack:
        workers: dict[str, EngineWorker] = {}
        for name in engines:
            with recording(readings, name):
                worker = stack.enter_context(devices[name].worker())
                twin = (same or {}).get(name, "")
                known = (twin, readings.get(twin, Readings()))
                if earlier is not None and name in earlier:
                    known = ("", earlier[name])
                readings[name] = first_answers(worker, places[name], name, samples, settings, progress, known)
                workers[name] = worker
            if answered is not None and readings[name].failure is None:
                answered(name, readings[name])
        if device.machine.emulated:
            return {name: replace(found, loads=(), peak_memory_bytes=0) for name, found in readings.items()}, 0
        if not workers:
            return readings, 0
        calls = settings.calls or calls_of_a_round(workers, len(samples))
        time_in_rounds(workers, readings, samples, calls, settings, progress, enough=enough)
        if settings.beside:
            # Engines are loaded and warm: what their loading takes is not measured beside others.
            with busy_programs(settings.beside):
                time_in_rounds(workers, readings, samples, calls, settings, progress, beside=True)
        read_text_speed(workers, readings, samples, settings, progress)
        read_energies(workers, readings, samples, settings, progress)
        if guide is not None:
            read_guides(workers, readings, guide, progress)
    with device.to_itself(progress):
        reload(devices, places, samples, settings, readings, progress)
        read_cold_starts(devices, places, samples, settings, readings, progress)
    return readings, calls
