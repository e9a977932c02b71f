"""What `edgewright finish` found on this machine, beside the package: a package itself never changes.

Under the cache folder, each entry under a key of everything it depends on, so that another GPU, driver, TensorRT, graph
or weight is another entry and never a wrong one:

    engines/<key>/engine.plan, engine.json     a plan that was built here
    finished/<key>.json                        whether an engine agreed with the float engine here, and was no slower

Plans are for a GPU and depend on it (`here`). Engines of the processor depend on no GPU: of them `here` is None.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_runtime.aside import folder_aside
from edgewright_runtime.cache_folder import ENGINES, FINISHED, cache_folder
from edgewright_runtime.package_files import SUMS, file_digest
from edgewright_runtime.plan_key import PlanKey, plan_key
from edgewright_runtime.trt import CAPABILITIES_KEY, FLAVOURS, PLAN_FILE, missing
from edgewright_targets.gpu import CudaError, Gpu, gpu
from edgewright_targets.host import HostFacts, architecture, host_facts
from edgewright_targets.record import RecordError, read_record, write_record

if TYPE_CHECKING:
    from edgewright_runtime.manifest import EngineSpec
    from edgewright_runtime.package import Package

FACTS_FILE = "engine.json"


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What was found about an engine on this machine.

    Attributes:
        engine: Its name in the package.
        accepted: It agreed with the float engine and was no slower than what ran so far: it goes first here.
        reason: Why, in whole sentences.
        difference: Largest difference of any output from the golden outputs.
        tolerance: What was allowed.
        ratio: Its latency over that of the engine that ran here so far; None where it was not timed.
        ratio_low: Lower end of its interval.
        ratio_high: Upper end of it.
        gpu: What it ran on: the GPU, or the processor.
        created: When, in UTC, ISO 8601.
        confidence: Of the interval (0..1).
        beside: Busy programs that ran beside it on purpose.
    """

    engine: str
    accepted: bool
    reason: str
    difference: float | None
    tolerance: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    gpu: str
    created: str
    confidence: float = 0.95
    beside: int = 0


def stored_plan(key: PlanKey) -> Path | None:
    """The plan that is stored under `key`, whole as it was written; None where there is none."""
    folder = plan_folder(key)
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        whole = facts["key"] == key.written() and file_digest(folder / PLAN_FILE) == facts["sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return folder / PLAN_FILE if whole else None


def plan_folder(key: PlanKey) -> Path:
    """Where a plan of this key is stored."""
    return cache_folder() / ENGINES / _digest(key.written())


def read_finished(package: Package, spec: EngineSpec, here: Gpu | None) -> Finished | None:
    """What was found about this engine on this machine, or None."""
    path = _record_path(package, spec, here)
    try:
        return read_record(Finished, json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, RecordError, RecursionError):
        return None


def write_finished(package: Package, spec: EngineSpec, here: Gpu | None, found: Finished) -> Path:
    """Keep what was found, in one step; gives the file."""
    path = _record_path(package, spec, here)
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder_aside(path.parent, ".finished-") as folder:
        made = folder / path.name
        made.write_text(json.dumps(write_record(found), indent=1) + "\n", encoding="utf-8")
        made.replace(path)
    return path


def findings(package: Package) -> dict[str, Finished]:
    """What was found on this machine about engines that were not judged when the package was built, by engine."""
    waiting = [spec for spec in package.manifest.engines.values() if not spec.compared]
    # A device that never finished anything does not ask for its GPU, which takes a while.
    if not waiting or not (cache_folder() / FINISHED).is_dir():
        return {}
    own = {spec.name: read_finished(package, spec, None) for spec in untimed(package)}
    return {name: one for name, one in own.items() if one is not None} | _of_plans(package, waiting)


def untimed(package: Package) -> tuple[EngineSpec, ...]:
    """Engines of this machine's architecture among which the device chooses by their speed.

    Where settings of a target wait to be timed, none of its engines was timed when the package was built.
    """
    specs = [spec for spec in package.manifest.engines.values() if not spec.kind.ahead_of_time]
    targets = {spec.target for spec in specs if not spec.compared}
    return tuple(spec for spec in specs if spec.target in targets and spec.architecture == architecture())


def _of_plans(package: Package, waiting: Sequence[EngineSpec]) -> dict[str, Finished]:
    if not any(spec.kind.plan for spec in waiting):
        return {}
    try:
        here = gpu()
    except CudaError:
        return {}
    able = [spec for spec in waiting if spec.kind.plan and missing(FLAVOURS[spec.engine]) is None]
    try:
        found = {spec.name: read_finished(package, spec, here) for spec in able}
    except (ImportError, OSError):
        # TensorRT is installed and cannot be loaded: its engines cannot run either.
        return {}
    return {name: one for name, one in found.items() if one is not None}


def fits(spec: EngineSpec) -> bool:
    """Whether an engine that waits is for the GPU of this machine."""
    try:
        return gpu().capability in spec.option(CAPABILITIES_KEY).split()
    except CudaError:
        return False


def preferred(found: dict[str, Finished]) -> tuple[str, ...]:
    """Those of `found` that were accepted, fastest first."""
    accepted = [one for one in found.values() if one.accepted and one.ratio is not None]
    return tuple(one.engine for one in sorted(accepted, key=lambda one: one.ratio or 0.0))


def _record_path(package: Package, spec: EngineSpec, here: Gpu | None) -> Path:
    machine = host_facts()
    if here is None:
        return cache_folder() / FINISHED / f"{_digest(_settings_key(package, spec, machine))}.json"
    # The processor too: the float engine that it was timed against runs there.
    parts = {
        "package": file_digest(package.root / SUMS),
        "engine": spec.name,
        "keys": {component: plan_key(package, spec, component, here).written() for component in spec.parts},
        "machine": [machine.cpu, machine.cores, machine.features],
    }
    return cache_folder() / FINISHED / f"{_digest(parts)}.json"


def _settings_key(package: Package, spec: EngineSpec, machine: HostFacts) -> dict[str, object]:
    """What a time of an engine depends on, beside the engines that it was timed against.

    A part of a package that has all engines of the target, as a device gets it over ssh, has the same key.
    """
    import onnxruntime

    sums = package.digests()
    against = [one for one in package.manifest.engines.values() if one.target == spec.target]
    files = {str(path.relative_to(package.root)) for one in against for path in package.engine_files(one.name)}
    return {
        "engine": spec.name,
        "engines": {one.name: write_record(one) for one in against},
        "files": {name: sums.get(name, "") for name in sorted(files)},
        "machine": [machine.cpu, machine.cores, machine.features],
        "onnxruntime": onnxruntime.__version__,
    }


def _digest(parts: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
