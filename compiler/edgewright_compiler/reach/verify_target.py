"""A package checked for a target that need not be this machine: its engines answer the golden samples there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.devices.engine_worker import Place, WorkerError
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.progress import Bar, Progress, Quiet
from edgewright_compiler.reach.execution_modes import execution_modes, places
from edgewright_runtime.likeness import likeness_of
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.package import Package
from edgewright_runtime.selftest import (
    GoldenSample,
    check_complete,
    check_feeds,
    check_places,
    check_tolerance,
    check_whole,
    feed_tolerance,
    stored_samples,
)
from edgewright_targets import CheckFailedError, HostFacts, InputError, Rung, Target, load_target, nearest, target_names
from edgewright_targets.host import usable_threads


@dataclass(frozen=True, kw_only=True)
class EngineCheck:
    """What became of one engine.

    Attributes:
        name: Name in the package.
        provider: Its execution provider.
        rung: `measured` where this machine is the target, `emulated` in an emulator; lower where it was not run.
        difference: Largest difference of any output from the stored float outputs; None where it did not answer.
        tolerance: What is allowed.
        note: Why it was not run, did not answer, or answered something else; empty where it is well.
        ran: Whether it was run: what nothing here can run is in the report, and is not a failure.
    """

    name: str
    provider: str
    rung: Rung
    difference: float | None
    tolerance: float
    note: str
    ran: bool

    @property
    def ok(self) -> bool:
        """Whether it answered within its tolerance."""
        # A comparison with NaN is False.
        return self.difference is not None and self.difference <= self.tolerance


@dataclass(frozen=True)
class TargetReport:
    """What `verify_target` found.

    Attributes:
        target: For which target.
        machine: What answered, as it says itself.
        files: Files whose digest was right.
        samples: Golden samples that were run.
        engines: All engines of the target, the preferred first.
    """

    target: str
    machine: HostFacts
    files: int
    samples: int
    engines: tuple[EngineCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether all engines that were run answered within their tolerance."""
        return all(engine.ok for engine in self.engines if engine.ran)


def verify_target(
    path: str | Path, target: str, *, engine: str | None = None, progress: Progress | None = None
) -> TargetReport:
    """Check structure and digests of a package, then run its golden samples through the engines of a target.

    Args:
        path: Package folder or archive.
        target: A target in the package; the file of one of the user's own.
        engine: Check this engine of it and no other.
        progress: Told how far it is.

    Raises:
        InputError: The package has no such target or engine, or the target cannot be reached from here.
        DamagedPackageError: Changed or cut off after the build.
    """
    progress = progress or Quiet()
    package, files = check_whole(path)
    wanted = _target(package, target)
    specs = _engines(package, wanted, engine)
    like = {name: _candidate(wanted, spec) for name, spec in specs.items()}
    modes = execution_modes(wanted)
    how = {name: modes[candidate] for name, candidate in like.items()}
    running = [name for name in specs if how[name].runs in ("here", "emulated")]
    if not running:
        notes = " ".join(dict.fromkeys(mode.note for mode in how.values()))
        raise InputError(f"No engine for '{wanted.name}' can be run from this machine. {notes}")
    where = places(wanted, progress)
    samples = stored_samples(package)
    check_complete(samples, str(path))
    bar = progress.bar(f"running for {wanted.name}", len(running) * len(samples))

    def check(name: str) -> EngineCheck:
        spec, mode = specs[name], how[name]
        if name not in running:
            return EngineCheck(
                name=spec.name,
                provider=spec.provider,
                rung=mode.rung,
                difference=None,
                tolerance=spec.tolerance,
                note=mode.note,
                ran=False,
            )
        worst, note = _answers(package, spec, where[like[name]], samples, bar)
        return EngineCheck(
            name=spec.name,
            provider=spec.provider,
            rung=mode.rung,
            difference=worst,
            tolerance=spec.tolerance,
            note=note,
            ran=True,
        )

    try:
        with ThreadPoolExecutor(usable_threads()) as pool:
            checks = tuple(pool.map(check, specs))
    finally:
        bar.close()
    return TargetReport(wanted.name, _machine(where[like[running[0]]]), files, len(samples), checks)


def _target(package: Package, name: str) -> Target:
    in_package = ", ".join(package.targets)
    own_file = name.endswith(".toml")
    known = own_file or name in target_names()
    target = load_target(name) if known else None
    asked = target.name if target else name
    if asked not in package.targets:
        raise InputError(f"'{package.root}' has no engine for the target '{asked}'.", hint=f"It is for: {in_package}.")
    if target is None:
        raise InputError(
            f"'{name}', a target of this package, is not a built-in target.",
            hint=f"Pass the target file that it was built with: --target path/to/{name}.toml",
        )
    return target


def _engines(package: Package, target: Target, engine: str | None) -> dict[str, EngineSpec]:
    """The engines to check, by name."""
    manifest = package.manifest
    names = list(manifest.engines_for(target.name))
    if engine is not None and engine not in names:
        raise InputError(
            f"The target '{target.name}' has no engine '{engine}' in this package.", hint=nearest(engine, names)
        )
    return {name: manifest.engines[name] for name in names if engine in (None, name)}


def _candidate(target: Target, spec: EngineSpec) -> str:
    """The candidate that says how an engine is run: its own, or one of its kind.

    What a search found, and the settings between which a device decides, are no candidates of the target's file.

    Raises:
        InputError: The target has none of this kind.
    """
    alike = [one for one in target.candidates if (one.provider, one.engine) == (spec.provider, spec.engine)]
    own = [one for one in alike if f"{target.name}-{one.name}" == spec.name]
    precise = [one for one in alike if one.precision == spec.precision]
    found = next(iter((*own, *precise, *alike)), None)
    if found is None:
        raise InputError(
            f"The target '{target.name}' has no candidate of the kind of '{spec.name}' in this package.",
            hint="Pass the target file that it was built with.",
        )
    return found.name


def _answers(
    package: Package, spec: EngineSpec, place: Place, samples: tuple[GoldenSample, ...], bar: Bar
) -> tuple[float | None, str]:
    """The largest difference from the stored outputs (None without outputs), and what is wrong."""
    pipeline = package.manifest.pipeline
    worst, alike, allowed = 0.0, likeness_of(pipeline), feed_tolerance(pipeline)
    try:
        with WorkerProcess(command=place.command) as worker:
            check_tolerance(spec, samples, alike)
            worker.keep([golden.sample for golden in samples])
            worker.load(package.root, spec.name, 1, emulate=place.emulate)
            for index, golden in enumerate(samples):
                (feeds,), (prediction,) = worker.feeds([index]), worker.answer([index])
                check_feeds(feeds, golden, spec.pad_to_multiple_of, index, allowed)
                worst = max(worst, alike.difference(prediction.outputs, golden.outputs))
                check_places(spec.name, alike, prediction.outputs, golden, index)
                bar.update()
    except WorkerError as error:
        return None, str(error)
    except CheckFailedError as error:
        return None, error.message
    return worst, "" if worst <= spec.tolerance else "Its outputs differ by more than is allowed."


def _machine(place: Place) -> HostFacts:
    with WorkerProcess(command=place.command) as worker:
        return worker.machine
