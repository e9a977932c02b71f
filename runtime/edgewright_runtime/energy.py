"""Energy of calls, by the sensors of this machine: of everything that a sensor sees, and how much that is when idle."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edgewright_runtime.responses import EnergyRead, SensorEnergy
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.energy_sensors import EnergySensor

# Long beside the time in which sensors are refreshed: 1 ms for RAPL, up to 100 ms for boards.
_IDLE_SECONDS = 1.0
_WORK_SECONDS = 1.0


def read_energy(
    sensors: Sequence[EnergySensor],
    reasons: Sequence[str],
    calls: Sequence[Callable[[], object]],
    tokens: int = 0,
    *,
    idle_seconds: float = _IDLE_SECONDS,
    work_seconds: float = _WORK_SECONDS,
) -> EnergyRead:
    """Do nothing, then call again and again, and read the sensors at the ends of both.

    A sensor whose counter does not move while calls are made has no figure.

    Args:
        sensors: That can be read.
        reasons: Why others cannot.
        calls: Made in turns, until the time is over.
        tokens: New tokens that each call makes; 0 where it generates no text.
        idle_seconds: How long nothing is done.
        work_seconds: How long calls are made, at least one.

    Raises:
        InputError: A sensor that was read cannot be read any more.
    """
    if not sensors:
        return EnergyRead(sensors=(), unknown=tuple(reasons), calls=0, seconds=0.0, tokens=tokens)
    start = _start(sensors)
    time.sleep(idle_seconds)
    idle = [joules / (time.perf_counter() - start) for joules in _stop(sensors)]
    start = _start(sensors)
    made = 0
    while made == 0 or time.perf_counter() - start < work_seconds:
        calls[made % len(calls)]()
        made += 1
    seconds = time.perf_counter() - start
    used = _stop(sensors)
    still = [f"The sensor '{one.name}' did not move." for one, joules in zip(sensors, used, strict=True) if joules <= 0]
    found = tuple(
        SensorEnergy(name=one.name, joules=joules, idle_watts=watts)
        for one, joules, watts in zip(sensors, used, idle, strict=True)
        if joules > 0
    )
    return EnergyRead(sensors=found, unknown=(*reasons, *still), calls=made, seconds=seconds, tokens=tokens)


def _start(sensors: Sequence[EnergySensor]) -> float:
    for sensor in sensors:
        sensor.start()
    return time.perf_counter()


def _stop(sensors: Sequence[EnergySensor]) -> list[float]:
    """Joules of each; all are stopped, also where one of them cannot be read."""
    found: list[float] = []
    failed: list[InputError] = []
    for sensor in sensors:
        try:
            found.append(sensor.stop())
        except InputError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return found
