"""What a build cannot do without the device: make engines there, compare them with the float engine, time them.

    from edgewright_compiler.finish import finish

    for found in finish("intents.ortpackage").engines:
        found.engine, found.accepted, found.reason

The package stays as it is. What is made and found lies in the cache of this machine, see `edgewright_runtime.finished`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.judging.evidence import now
from edgewright_benchmarks.measuring.meter import MeterSettings, Readings, read_engines
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.statistics.bounds import span
from edgewright_benchmarks.statistics.intervals import latency_ratio, starved_baseline
from edgewright_compiler.compile import CompileError
from edgewright_compiler.finish.device_plan import stored_or_built
from edgewright_runtime import EngineUnavailableError, load
from edgewright_runtime.finished import Finished, preferred, read_finished, write_finished
from edgewright_runtime.gaps import beside_limit
from edgewright_runtime.likeness import likeness_of
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.package import Package
from edgewright_runtime.selftest import check_complete, check_tolerance, stored_samples
from edgewright_runtime.trt import CAPABILITIES_KEY, FLAVOURS, missing
from edgewright_targets import InputError, nearest
from edgewright_targets.gpu import CudaError, Gpu, gpu
from edgewright_targets.host import architecture


@dataclass(frozen=True)
class FinishedPackage:
    """What `finish` found.

    Attributes:
        engines: What was found about each engine that could run, now or before.
        failures: Engine to why it could not be made or run.
        first: The engine that runs here from now on.
        unchanged: All of it was known before.
    """

    engines: tuple[Finished, ...]
    failures: dict[str, str]
    first: str
    unchanged: bool


def finish(
    path: str | Path,
    *,
    target: str | None = None,
    settings: MeterSettings | None = None,
    progress: Progress | None = None,
) -> FinishedPackage:
    """Make, compare and time the engines of a package that nobody could judge before.

    Args:
        path: Package folder or archive.
        target: Only engines for this target.
        settings: How to time.
        progress: Told how far it is.

    Raises:
        InputError: There is nothing to finish, or this is not the device: says what is missing.
        DamagedPackageError: The package is not as it was built.
    """
    progress = progress or Quiet()
    package = Package.open(path)
    # The keys of what is stored are made of the digests that the package lists: here they are made true.
    package.check_digests()
    waiting = _waiting(package, target)
    here = _gpu_for(waiting)
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
        if before is None:
            ready.append(spec)
        else:
            known.append(before)
    against = running(package)
    made, unable = judge(package, ready, against, here.name, settings or MeterSettings(), progress)
    for spec, found in zip([s for s in ready if s.name not in unable], made, strict=True):
        write_finished(package, spec, here, found)
    everything = (*known, *made)
    first = preferred({found.engine: found for found in everything})
    return FinishedPackage(everything, {**failures, **unable}, first[0] if first else against, unchanged=not ready)


def _waiting(package: Package, target: str | None) -> list[EngineSpec]:
    manifest = package.manifest
    if target is not None and target not in manifest.baselines:
        raise InputError(f"The package has no engines for '{target}'.", hint=nearest(target, manifest.baselines))
    kinds = [s for s in manifest.engines.values() if not s.compared and s.kind.plan]
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
    return fitting


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


def judge(
    package: Package,
    engines: Sequence[EngineSpec],
    against: str,
    device: str,
    settings: MeterSettings,
    progress: Progress,
) -> tuple[list[Finished], dict[str, str]]:
    """Compare `engines` with the golden samples, and time them in alternating rounds against the one that runs now.

    Args:
        package: The package, whole.
        engines: Those that wait.
        against: The engine that runs here as long as nothing is finished.
        device: What they run on, for people.
        settings: How to time.
        progress: Told how far it is.

    Returns:
        What was found of those that ran, in order, and why the others did not, by name.

    Raises:
        InputError: The engine that ran so far cannot.
    """
    if not engines:
        return [], {}
    golden, alike = stored_samples(package), likeness_of(package.manifest.pipeline)
    check_complete(golden, str(package.root))
    for spec in engines:
        check_tolerance(spec, golden, alike)
    names = [against, *(spec.name for spec in engines)]
    readings, _ = read_engines(package.root, names, [one.sample for one in golden], settings, progress)
    if readings[against].failure is not None:
        raise InputError(f"The engine '{against}' cannot run here: {readings[against].failure}")
    unable = {spec.name: readings[spec.name].failure or "" for spec in engines if readings[spec.name].failure}
    made = []
    for spec in engines:
        if spec.name not in unable:
            outputs = [prediction.outputs for prediction in readings[spec.name].predictions]
            pairs = list(zip(outputs, golden, strict=True))
            worst = max((alike.difference(outputs, one.outputs) for outputs, one in pairs), default=float("inf"))
            # A low precision has a wide tolerance: a classifier must give the same answers as well.
            if not all(alike.same_choice(outputs, one.outputs) for outputs, one in pairs):
                worst = float("inf")
            odd = next((place for outputs, one in pairs if (place := alike.odd_place(outputs, one.outputs))), "")
            made.append(_judged(spec, worst, readings[spec.name], (against, readings[against]), device, odd))
    return made, unable


def _judged(
    spec: EngineSpec, worst: float, found: Readings, against: tuple[str, Readings], device: str, odd: str
) -> Finished:
    name, reference = against
    ratio = latency_ratio(found.seconds, reference.seconds)
    times = f"{ratio.value:.2f} times the latency of {name} (95 % interval {span(ratio.low, ratio.high, 1, 2)})"
    # A comparison with NaN is False, so both are written the way round that lets none through.
    alike, fast = worst <= spec.tolerance, ratio.high <= 1
    starved = starved_baseline(found.busy, reference.busy)
    difference, limit = beside_limit(worst, spec.tolerance)
    agreement = (
        f"its outputs differ from float by {difference} on the golden samples ({limit} is allowed)"
        if worst < float("inf")
        else f"its predictions on the golden samples differ from those of float{f': {odd}' if odd else ''}"
    )
    if alike and fast and starved:
        reason = f"Refused: {starved}."
    elif alike and fast:
        reason = f"Accepted: it takes {times}, and {agreement}."
    elif alike:
        reason = f"Refused: not shown to be as fast. It takes {times}."
    else:
        reason = f"Refused: {agreement}."
    return Finished(
        engine=spec.name,
        accepted=alike and fast and not starved,
        reason=reason,
        difference=worst if worst < float("inf") else None,
        tolerance=spec.tolerance,
        ratio=ratio.value,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        gpu=device,
        created=now(),
    )
