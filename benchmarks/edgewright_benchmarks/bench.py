"""Bench a package: the engines in it, on data that their choice never saw.

from edgewright_benchmarks.bench import bench

result = bench("intents.ortpackage", "test.csv")
result.engine(result.chosen).accuracy.metrics["accuracy"]
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edgewright_benchmarks.data import Dataset, read_dataset
from edgewright_benchmarks.devices import Device
from edgewright_benchmarks.devices.address import RemoteDevice
from edgewright_benchmarks.devices.engine_worker import WorkerError
from edgewright_benchmarks.devices.here import ThisMachine
from edgewright_benchmarks.devices.ssh import SshDevice
from edgewright_benchmarks.durations import duration_text
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.judging.baseline_doubt import NOT_RIGHT
from edgewright_benchmarks.judging.choice import judge, measured_again
from edgewright_benchmarks.judging.evidence import (
    EngineFacts,
    compare_engines,
    data_facts,
    now,
    settings_facts,
    tool_versions,
)
from edgewright_benchmarks.measuring.meter import read_engines
from edgewright_benchmarks.measuring.meter_settings import MeterSettings, looks
from edgewright_benchmarks.measuring.rounds import narrow_enough
from edgewright_benchmarks.measuring.text_speed import prompt_lengths
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import result_from_json
from edgewright_benchmarks.scenarios.measure import under_load
from edgewright_benchmarks.scenarios.settings import ScenarioSettings
from edgewright_benchmarks.tasks import NO_FUNCTIONS, OwnFunctions, find_task
from edgewright_benchmarks.truth.windows import windows_of_steps
from edgewright_runtime import EngineFallbackWarning, EngineInfo, OtherProcessorWarning, Package, SampleError, load
from edgewright_runtime.manifest import Manifest
from edgewright_runtime.probe import Probe
from edgewright_runtime.samples import ARRAYS_INPUT, ROW_INPUT
from edgewright_targets import InputError, Rung


@dataclass(frozen=True)
class _Where:
    """Where it runs: the device, which engine runs there, and with which versions."""

    device: Device
    info: EngineInfo
    versions: dict[str, str]


def build_evidence(package: Package, target: str | None = None) -> Result:
    """The evidence that came with a package for a target, by default its first, with types."""
    name = target or package.targets[0]
    return result_from_json(package.evidence(name), f"{package.root}: evidence for {name}")


def bench(
    path: str | Path,
    data: str | Path,
    *,
    settings: MeterSettings | None = None,
    progress: Progress | None = None,
    remote: RemoteDevice | None = None,
    confidence: float | None = None,
    own: OwnFunctions = NO_FUNCTIONS,
    scenarios: ScenarioSettings | None = None,
) -> Result:
    """Measure every engine of a package that can run here, or on a device, against its float baseline.

        >>> from edgewright_benchmarks.bench import bench
        >>> from edgewright_benchmarks.measuring.meter_settings import MeterSettings
        >>> result = bench("perceptron.ortpackage", "inputs.npz", settings=MeterSettings(rounds=2, calls=4, loads=1))
        >>> result.measure  # the data has no labels
        'agreement'
        >>> result.engine(result.baseline).latency.ratio.value
        1.0

    Args:
        path: Package folder or archive.
        data: Labelled data for accuracy; without labels, agreement with the float engine is measured.
        settings: How to measure.
        progress: Told how far it is.
        remote: The device; None is this machine.
        confidence: How sure the bounds of drop and latency are; None is that of the build.
        own: A metric by name or functions of the user's own, in place of what the task has.
        scenarios: Also put the engine that runs here under the load of these.

    Raises:
        InputError: The package or the data cannot be read, the float baseline cannot run there, or the device cannot be
            reached.
    """
    settings, progress = settings or MeterSettings(), progress or Quiet()
    if scenarios is not None and remote is not None:
        raise InputError("Scenarios (--scenario) run on this machine alone, and not on a device.")
    if settings.beside and remote is not None:
        raise InputError("Busy programs (--beside) run on this machine alone, and not on a device.")
    package = Package.open(path)
    own.check(package.manifest.task)
    settings = replace(settings, prompt_lengths=prompt_lengths(package.manifest, settings.prompt_lengths))
    samples = read_samples(package, data, settings, own)
    own.check_labelled(samples.labels, f"'{data}'")
    opened = _here(package, settings, samples) if remote is None else _there(package, settings, remote, progress)
    with opened as where:
        result = _bench(package, samples, where, settings, progress, confidence, own)
    return result if scenarios is None else under_load(result, package.root, samples.samples, scenarios, progress)


def read_samples(
    package: Package, data: str | Path, settings: MeterSettings, own: OwnFunctions = NO_FUNCTIONS
) -> Dataset:
    """The samples that `bench` measures, in their order.

    Raises:
        InputError: They cannot be read.
    """
    manifest = package.manifest
    found = read_dataset(
        data,
        task=manifest.task,
        input_name=manifest.pipeline.input,
        class_names=manifest.labels,
        most=settings.samples,
        windows=windows_of_steps(manifest.pipeline.steps),
        own=own,
    )
    return found if settings.samples is None else found.part(settings.samples)


def running_engine(
    package: Package, settings: MeterSettings, samples: Dataset, engine: str | None = None
) -> EngineInfo:
    """The engine that a package runs on this machine, or the one that is named.

    Raises:
        InputError: No engine can run here, or the samples do not fit.
    """
    with warnings.catch_warnings():
        # The fallback is in the result, and said there; what another processor changes is measured below.
        for kind in (EngineFallbackWarning, OtherProcessorWarning):
            warnings.simplefilter("ignore", kind)
        with load(package, engine=engine, threads=settings.threads) as model:
            info = model.engine
            if package.manifest.pipeline.input == ROW_INPUT:
                _check_rows(Probe(model), samples)
            if package.manifest.pipeline.input == ARRAYS_INPUT:
                # Names of arrays are known with the graph: said here, and not as the failure of an engine.
                Probe(model).feeds(samples.samples[0])
    return info


@contextlib.contextmanager
def _here(package: Package, settings: MeterSettings, samples: Dataset) -> Iterator[_Where]:
    yield _Where(ThisMachine(), running_engine(package, settings, samples), tool_versions())


def _check_rows(probe: Probe, samples: Dataset) -> None:
    """Raise where a row is not what the model takes: said of the data, and not as the failure of an engine."""
    for number, sample in enumerate(samples.samples, start=1):
        try:
            probe.feeds(sample)
        except SampleError as error:
            raise InputError(f"'{samples.name}', row {number}: {error.message}", hint=error.hint) from error


@contextlib.contextmanager
def _there(package: Package, settings: MeterSettings, remote: RemoteDevice, progress: Progress) -> Iterator[_Where]:
    with SshDevice(remote.url, progress, keep=remote.keep) as device:
        device.send(package, remote.target)
        try:
            with device.worker() as worker:
                info = worker.load(device.path_of(package.root), None, settings.threads).engine
        except WorkerError as error:
            raise InputError(f"No engine of '{package.root}' can run on device '{device.name}': {error}") from error
        yield _Where(device, info, tool_versions(device.versions))


def _bench(
    package: Package,
    samples: Dataset,
    where: _Where,
    settings: MeterSettings,
    progress: Progress,
    confidence: float | None,
    own: OwnFunctions,
) -> Result:
    manifest, machine = package.manifest, where.device.machine
    chosen, target = where.info.name, where.info.target
    built = build_evidence(package, target)
    sure = confidence or built.confidence
    baseline = manifest.baselines[target]
    names = list(manifest.engines_for(target))
    enough = narrow_enough(settings.until) if settings.until else None
    readings, calls = read_engines(
        package.root, names, samples.samples, settings, progress, where.device, enough=enough
    )
    if readings[baseline].failure is not None:
        raise InputError(
            f"The float baseline '{baseline}' cannot run here, so engines cannot be compared: "
            f"{readings[baseline].failure}"
        )
    rounds = len(readings[baseline].rounds) or settings.rounds
    wide = () if enough is None or enough(readings) else (_too_wide(settings, rounds),)
    rung: Rung = "emulated" if machine.emulated else "measured"
    engines = [
        EngineFacts(
            spec=manifest.engines[name], size_bytes=sum(p.stat().st_size for p in package.engine_files(name)), rung=rung
        )
        for name in names
    ]
    compared = compare_engines(
        engines,
        readings,
        samples,
        task=find_task(manifest.task, own),
        baseline=baseline,
        max_drop=built.max_drop,
        confidence=sure,
        keep_scores=True,
    )
    doubted = (f"{NOT_RIGHT} on this data. {compared.doubt}",) if compared.doubt else ()
    accepted = tuple(f"When it was built: {warning}" for warning in built.warnings if warning.startswith(NOT_RIGHT))
    # Each by itself: they were chosen before this data was seen, and none is picked by it.
    judged = tuple(
        replace(engine, status="baseline")
        if engine.name == baseline
        else judge(engine, max_drop=built.max_drop, measure=compared.measure)
        for engine in compared.engines
    )
    running = next(engine for engine in judged if engine.name == chosen)
    return Result(
        kind="bench",
        model=manifest.name,
        task=manifest.task,
        measure=compared.measure,
        max_drop=built.max_drop,
        confidence=sure,
        baseline=baseline,
        chosen=chosen,
        reason=measured_again(running, built.chosen, compared.measure, samples.name),
        engines=judged,
        data=data_facts(samples),
        machine=machine,
        versions=where.versions,
        settings=settings_facts(replace(settings, rounds=rounds), calls, len(samples.samples), where.info.threads),
        warnings=(
            *doubted,
            *accepted,
            *_stranger(manifest, target, where),
            *_other_code(own, built),
            *_warnings(running, where, built, samples),
            *wide,
            *compared.warnings,
        ),
        created=now(),
        own_code=own.facts(),
    )


def _other_code(own: OwnFunctions, built: Result) -> tuple[str, ...]:
    """That the engine was chosen by another metric or other functions than those of this bench, as a sentence."""
    here, there = own.facts(), built.own_code
    if here == there:
        return ()
    mine, theirs = (", ".join(one.words() for one in code) or "the metric of the task" for code in (here, there))
    return (f"The engine was chosen with {theirs}; these figures are with {mine}.",)


def _too_wide(settings: MeterSettings, rounds: int) -> str:
    late = rounds < looks(settings)[-1]
    limit = f"{duration_text(settings.most_seconds)}, the limit of --most-time," if late else "the limit,"
    more = f"--most-time {duration_text(2 * settings.most_seconds)}" if late else f"--most-rounds {2 * rounds}"
    return (
        f"After {rounds} rounds{' and' if late else ','} {limit} the interval of an engine's median is still wider "
        f"than {100 * settings.until:g} % to one side. Close other programs, or pass {more}."
    )


def _stranger(manifest: Manifest, target: str, where: _Where) -> tuple[str, ...]:
    """That the machine is not the target whose engines it runs, as a sentence: its figures are not the target's."""
    hardware, machine = manifest.hardware.get(target), where.device.machine
    if hardware is None or machine.emulated:
        return ()
    # Of a device, architecture and board were asked before anything was copied.
    remote = not isinstance(where.device, ThisMachine)
    if set(hardware.isa) <= set(machine.features) if remote else hardware.matches_machine():
        return ()
    return (
        f"The engines were made for {target}, but this machine is {machine.cpu}: the figures are those of this one.",
    )


def _warnings(running: EngineResult, where: _Where, built: Result, samples: Dataset) -> tuple[str, ...]:
    found = [f"{name} was skipped: {reason}" for name, reason in where.info.passed_over]
    if data_facts(samples).same_data(built.data):
        found.append(
            f"The engine was chosen on this data ({samples.name}), so its accuracy here is too good. Bench on other "
            "data."
        )
    if running.status == "refused":
        reasons = " ".join(running.reasons)
        found.append(
            f"On {samples.name} the shipped engine would not be accepted. {reasons} Build again with more "
            "evaluation data, or allow a larger drop."
        )
    machine = where.device.machine
    if machine.emulated:
        found.append(
            f"The engines ran in an emulator ({machine.cpu}), not on the hardware: accuracy is valid, latency was "
            "not measured."
        )
    elif running.status not in ("baseline", "failed") and machine != built.machine:
        found.append("The engine was chosen on another machine. Build here to get the fastest engine for this one.")
    return tuple(found)
