"""Plans that are built on the device, each stored once under a key of everything that it depends on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from edgewright_benchmarks.progress import Progress
from edgewright_compiler.cache import digest_of, sync_tree
from edgewright_compiler.compile.tensorrt_plan import build_plan
from edgewright_compiler.disk import disk_reason
from edgewright_runtime.aside import folder_aside
from edgewright_runtime.cache_folder import TIMING, cache_folder
from edgewright_runtime.finished import FACTS_FILE, plan_folder, stored_plan
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.package import Package
from edgewright_runtime.package_files import file_digest
from edgewright_runtime.plan_key import PlanKey, plan_key
from edgewright_runtime.plans import profile
from edgewright_runtime.trt import FLAVOURS, PLAN_FILE
from edgewright_targets import InputError
from edgewright_targets.gpu import Gpu
from edgewright_targets.record import write_record


def stored_or_built(
    package: Package,
    spec: EngineSpec,
    here: Gpu,
    progress: Progress,
    *,
    capabilities: tuple[str, ...] = (),
) -> bool:
    """Make sure that there is a plan for this engine on this machine; gives whether it was built now.

    Args:
        package: The package, whole.
        spec: An engine whose graph is in it.
        here: The GPU to build for.
        progress: Told how far it is.
        capabilities: Build for these instead, which only TensorRT for RTX can.

    Raises:
        CompileError: TensorRT is not there, refused the graph, or died.
        InputError: The plan cannot be written.
    """
    # All of them: a component that was built before says nothing about the others.
    fresh = [
        _stored_or_built(package, spec, component, here, progress, capabilities=capabilities)
        for component in spec.parts
    ]
    return any(fresh)


def _stored_or_built(
    package: Package, spec: EngineSpec, component: str, here: Gpu, progress: Progress, *, capabilities: tuple[str, ...]
) -> bool:
    title = spec.name if len(spec.parts) == 1 else f"{spec.name}, {component}"
    key = plan_key(package, spec, component, here)
    if stored_plan(key) is not None:
        progress.note(f"{title}: built before.")
        return False
    progress.note(f"{title}: building for {here.name} ...")
    try:
        seconds = _build(package, spec, component, key, here, progress, capabilities)
    except OSError as error:
        reason = disk_reason(error)
        if reason is None:
            raise
        raise InputError(
            f"The engine '{spec.name}' cannot be stored: {reason}.",
            hint="Free some space, for example with 'edgewright cache clear', or set XDG_CACHE_HOME to another disk.",
        ) from error
    progress.note(f"{title}: built in {seconds:.1f} s.")
    return True


def _build(
    package: Package,
    spec: EngineSpec,
    component: str,
    key: PlanKey,
    here: Gpu,
    progress: Progress,
    capabilities: tuple[str, ...],
) -> float:
    final = plan_folder(key)
    final.parent.mkdir(parents=True, exist_ok=True)
    # What TensorRT learned about kernels holds for this GPU, driver and version, whatever the model.
    kernels = digest_of(key.kernels.written())
    timing = cache_folder() / TIMING / f"{kernels}.cache"
    with folder_aside(final.parent, ".building-") as folder:
        files = list(package.part_files(spec.name, component))
        facts = build_plan(
            files,
            FLAVOURS[spec.engine],
            profile(spec, component),
            folder,
            capabilities=capabilities,
            timing_cache=timing,
            progress=progress,
        )
        record = {
            "key": key.written(),
            "sha256": file_digest(folder / PLAN_FILE),
            "gpu": here.name,
            "facts": write_record(facts),
        }
        (folder / FACTS_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        sync_tree(folder)
        _publish(folder, final)
    return facts.seconds


def _publish(made: Path, final: Path) -> None:
    """Give the folder its name; what was there was damaged, or is another process's of the same key."""
    if final.exists():
        damaged = made.with_name(f"{made.name}.old.tmp")
        final.rename(damaged)
        shutil.rmtree(damaged, ignore_errors=True)
    made.rename(final)
