"""What a build cannot do without the device: make engines there, compare them with the float engine, time them.

    from edgewright_compiler.finish import finish

    for found in finish("intents.ortpackage").engines:
        found.engine, found.accepted, found.reason

The package stays as it is. What is made and found lies in the cache of this machine, see `edgewright_runtime.finished`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.devices.address import RemoteDevice
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_compiler.compile import CompileError
from edgewright_compiler.finish.device_plan import stored_or_built
from edgewright_compiler.finish.finished_package import FinishedPackage
from edgewright_compiler.finish.judgement import judge
from edgewright_compiler.finish.settings import finish_on, finish_settings, waiting_settings
from edgewright_runtime import EngineUnavailableError, load
from edgewright_runtime.finished import Finished, preferred, read_finished, write_finished
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.package import Package
from edgewright_runtime.trt import CAPABILITIES_KEY, FLAVOURS, missing
from edgewright_targets import InputError, nearest
from edgewright_targets.gpu import CudaError, Gpu, gpu
from edgewright_targets.host import architecture


def finish(
    path: str | Path,
    *,
    target: str | None = None,
    settings: MeterSettings | None = None,
    progress: Progress | None = None,
    confidence: float | None = None,
    remote: RemoteDevice | None = None,
) -> FinishedPackage:
    """Make, compare and time the engines of a package that nobody could judge before.

    Args:
        path: Package folder or archive.
        target: Only engines for this target.
        settings: How to time.
        progress: Told how far it is.
        confidence: Of the interval of the latency ratio; None is that of the build.
        remote: The device, which ssh reaches; None is this machine. Its target is `target`, if that is given.

    Raises:
        InputError: There is nothing to finish, or this is not the device: says what is missing.
        DamagedPackageError: The package is not as it was built.
    """
    settings, progress = settings or MeterSettings(), progress or Quiet()
    package = Package.open(path)
    # The keys of what is stored are made of the digests that the package lists: here they are made true.
    package.check_digests()
    if remote is not None:
        return finish_on(remote, package, settings, progress, confidence)
    own = waiting_settings(package, target)
    if own is None:
        return _finish_plans(package, target, settings, progress, confidence)
    done = finish_settings(package, own, settings, progress, confidence)
    if not any(spec.kind.plan and not spec.compared for spec in package.manifest.engines.values()):
        return done
    try:
        plans = _finish_plans(package, target, settings, progress, confidence)
    except InputError as error:
        # They are for another machine than the one whose settings were timed.
        progress.note(error.message)
        return done
    return FinishedPackage(
        (*done.engines, *plans.engines),
        {**done.failures, **plans.failures},
        plans.first if any(found.accepted for found in plans.engines) else done.first,
        unchanged=done.unchanged and plans.unchanged,
    )


def _finish_plans(
    package: Package, target: str | None, settings: MeterSettings, progress: Progress, confidence: float | None
) -> FinishedPackage:
    waiting = _waiting(package, target)
    here = _gpu_for(waiting)
    if confidence is None:
        confidence = build_evidence(package, waiting[0].target).confidence
    failures: dict[str, str] = {}
    known: list[Finished] = []
    ready: list[EngineSpec] = []
    for spec in waiting:
        try:
            _check_usable(spec, here)
            fresh = spec.kind.made_by_finish and stored_or_built(package, spec, here, progress)
        except CompileError as error:
            failures[spec.name] = str(error)
            progress.note(f"{spec.name} failed: {error}")
            continue
        before = None if fresh else read_finished(package, spec, here)
        if before is None or (before.confidence, before.beside) != (confidence, settings.beside):
            ready.append(spec)
        else:
            known.append(before)
    against = running(package)
    made, unable = judge(package, ready, against, here.name, settings, progress, confidence)
    for spec, found in zip([s for s in ready if s.name not in unable], made, strict=True):
        write_finished(package, spec, here, found)
    everything = (*known, *made)
    first = preferred({found.engine: found for found in everything})
    return FinishedPackage(everything, {**failures, **unable}, first[0] if first else against, unchanged=not ready)


def _waiting(package: Package, target: str | None) -> list[EngineSpec]:
    manifest = package.manifest
    if target is not None and target not in manifest.baselines:
        raise InputError(f"The package has no engines for '{target}'.", hint=nearest(target, manifest.baselines))
    kinds = [spec for spec in manifest.engines.values() if not spec.compared]
    waiting = [spec for spec in kinds if target in (None, spec.target)]
    if not waiting:
        raise InputError(f"There is nothing to finish: the build compared every engine of '{package.root}' with float.")
    machine = architecture()
    fitting = [spec for spec in waiting if spec.architecture == machine]
    if not fitting:
        made_for = ", ".join(sorted({spec.architecture for spec in waiting}))
        raise InputError(
            f"The unfinished engines were made for {made_for}, but this machine is {machine}.",
            hint="Run 'edgewright finish' on the device.",
        )
    plans = [spec for spec in fitting if spec.kind.plan]
    if not plans:
        targets = ", ".join(dict.fromkeys(spec.target for spec in fitting))
        raise InputError(
            f"The unfinished engines were made for {targets}, and this machine is not that.",
            hint="Run 'edgewright finish' on the device, or name the target with --target.",
        )
    return plans


def _gpu_for(waiting: Sequence[EngineSpec]) -> Gpu:
    names = ", ".join(spec.name for spec in waiting)
    try:
        here = gpu()
    except CudaError as error:
        raise InputError(
            f"{error} These engines need one: {names}.", hint="Run 'edgewright finish' on the device."
        ) from error
    wanted = {spec.option(CAPABILITIES_KEY, here.capability) for spec in waiting}
    if not any(here.capability in one.split() for one in wanted):
        raise InputError(
            f"The unfinished engines are for GPUs of compute capability {', '.join(sorted(wanted))}, but the "
            f"{here.name} of this machine has {here.capability}."
        )
    flavours = [FLAVOURS[spec.engine] for spec in waiting]
    reasons = [missing(flavour) for flavour in flavours]
    if all(reasons):
        raise InputError(str(reasons[0]))
    return here


def _check_usable(spec: EngineSpec, here: Gpu) -> None:
    capabilities = spec.option(CAPABILITIES_KEY, here.capability).split()
    if here.capability not in capabilities:
        raise CompileError(
            f"It is for compute capability {', '.join(capabilities)}, but this GPU has {here.capability}."
        )
    reason = missing(FLAVOURS[spec.engine])
    if reason is not None:
        raise CompileError(reason)


def running(package: Package) -> str:
    """The engine that runs here as long as nothing is finished.

    Raises:
        InputError: None can.
    """
    compared = [name for name in package.manifest.order if package.manifest.engines[name].compared]
    reasons = []
    for name in compared:
        try:
            load(package, engine=name).close()
        except EngineUnavailableError as error:
            reasons.append(f"{name}: {error.reason}")
        else:
            return name
    raise InputError(f"No engine runs here, so nothing can be compared. {' '.join(reasons)}")
