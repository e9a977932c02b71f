"""Settings of speed, timed on the device against one another: threads, waiting, memory, kernels of the processor.

Where a build times nothing, it puts the chosen engine into the package with each of these settings. Here they run in
alternating rounds with it and with the float engine. One that gives the same predictions, and is shown to be no slower
than the engine that runs so far, goes first here; of several the fastest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.devices.engine_worker import WorkerError
from edgewright_benchmarks.devices.here import ThisMachine
from edgewright_benchmarks.devices.ssh import SshDevice
from edgewright_compiler.finish.finished_package import FinishedPackage
from edgewright_compiler.finish.judgement import judge
from edgewright_runtime.finished import Finished, preferred, read_finished, untimed, write_finished
from edgewright_targets import InputError
from edgewright_targets.host import host_facts

if TYPE_CHECKING:
    from edgewright_benchmarks.devices import Device
    from edgewright_benchmarks.devices.address import RemoteDevice
    from edgewright_benchmarks.measuring.meter_settings import MeterSettings
    from edgewright_benchmarks.progress import Progress
    from edgewright_runtime.manifest import EngineSpec
    from edgewright_runtime.package import Package


def waiting_settings(package: Package, target: str | None) -> str | None:
    """The target of this machine whose settings wait to be timed, or None.

    Args:
        package: It.
        target: The only one that is asked for.
    """
    waiting = {spec.target for spec in untimed(package)}
    here = package.manifest.targets_here() if target is None else (target,)
    return next((name for name in here if name in waiting), None)


def finish_settings(
    package: Package, target: str, settings: MeterSettings, progress: Progress, confidence: float | None
) -> FinishedPackage:
    """Time the engines of a target on this machine; what is known is not timed again.

    Args:
        package: The package, whole.
        target: One whose settings wait, see `waiting_settings`.
        settings: How to time.
        progress: Told how far it is.
        confidence: Of the intervals of latency ratios; None is that of the build.

    Raises:
        InputError: The engine that was chosen cannot run here.
    """
    sure = confidence or build_evidence(package, target).confidence
    known = [read_finished(package, spec, None) for spec in _rivals(package, target)]
    found = [one for one in known if one is not None]
    if len(found) == len(known) and all((one.confidence, one.beside) == (sure, settings.beside) for one in found):
        return FinishedPackage(tuple(found), {}, _first(found, _chosen(package, target)), unchanged=True)
    made, failures = _timed(package, target, ThisMachine(), settings, progress, sure)
    for one in made:
        write_finished(package, package.manifest.engines[one.engine], None, one)
    return FinishedPackage(tuple(made), failures, _first(made, _chosen(package, target)), unchanged=False)


def finish_on(
    remote: RemoteDevice,
    package: Package,
    settings: MeterSettings,
    progress: Progress,
    confidence: float | None,
) -> FinishedPackage:
    """Time the engines for a device there, and keep there what was found.

    Args:
        remote: The device.
        package: The package, whole.
        settings: How to time.
        progress: Told how far it is.
        confidence: Of the intervals of latency ratios; None is that of the build.

    Raises:
        InputError: The device cannot be reached, is an emulator, or nothing waits to be timed there.
    """
    with SshDevice(remote.url, progress, keep=remote.keep) as device:
        device.send(package, remote.target)
        target = device.target
        if device.machine.emulated:
            raise InputError(
                f"Device '{device.name}' is an emulator ({device.machine.cpu}), whose times say nothing of a device.",
                hint="'edgewright verify' and 'edgewright bench' show what engines answer there.",
            )
        if not any(spec.target == target and not spec.compared for spec in package.manifest.engines.values()):
            raise InputError(f"There is nothing to finish: no engine of '{package.root}' for {target} waits for it.")
        if any(spec.target == target and spec.kind.plan for spec in package.manifest.engines.values()):
            raise InputError(
                f"Engines for {target} are made on the device, which cannot be done over ssh.",
                hint="Run 'edgewright finish' on the device.",
            )
        sure = confidence or build_evidence(package, target).confidence
        made, failures = _timed(package, target, device, settings, progress, sure)
        try:
            with device.worker() as worker:
                for one in made:
                    worker.keep_finished(device.path_of(package.root), one)
        except WorkerError as error:
            raise InputError(f"What was found cannot be kept on device '{device.name}': {error}") from error
    return FinishedPackage(tuple(made), failures, _first(made, _chosen(package, target)), unchanged=False)


def _chosen(package: Package, target: str) -> str:
    """The engine that runs as long as nothing is finished."""
    return next(name for name in package.manifest.engines_for(target) if package.manifest.engines[name].compared)


def _rivals(package: Package, target: str) -> list[EngineSpec]:
    """The engines that are timed against the chosen one."""
    chosen, specs = _chosen(package, target), package.manifest.engines
    names = [name for name in package.manifest.engines_for(target) if name != chosen]
    return [specs[name] for name in names if not specs[name].kind.ahead_of_time]


def _first(found: Sequence[Finished], chosen: str) -> str:
    first = preferred({one.engine: one for one in found})
    return first[0] if first else chosen


def _timed(
    package: Package, target: str, device: Device, settings: MeterSettings, progress: Progress, confidence: float
) -> tuple[list[Finished], dict[str, str]]:
    """What was found of each engine, and why others could not run.

    The fastest of several looks faster than it is: it is timed anew against the chosen engine, in fresh processes, and
    that figure counts. Where it is not shown to be as fast there, the next one is timed.
    """
    against, rivals = _chosen(package, target), _rivals(package, target)
    cpu = host_facts().cpu if isinstance(device, ThisMachine) else device.machine.cpu
    made, failures = judge(package, rivals, against, cpu, settings, progress, confidence, where=device)
    found, anew = {one.engine: one for one in made}, set[str]()
    while (first := _first(list(found.values()), against)) not in {against, *anew}:
        if len(found) == 1:
            break
        anew.add(first)
        progress.note(f"Timing {first} anew against {against}.")
        other = dataclasses.replace(settings, seed=settings.seed + len(anew), loads=1)
        spec = package.manifest.engines[first]
        again, unable = judge(package, [spec], against, cpu, other, progress, confidence, where=device)
        if unable:
            del found[first]
            failures |= unable
        else:
            reason = f"{again[0].reason} It was timed anew, as the fastest of {len(found)}."
            found[first] = dataclasses.replace(again[0], reason=reason)
    return list(found.values()), failures
