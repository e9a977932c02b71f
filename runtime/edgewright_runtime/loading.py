"""From a package to a model that is ready: which of its engines runs on this machine, and why."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from edgewright_runtime.errors import EngineFallbackWarning, EngineUnavailableError, OtherProcessorWarning
from edgewright_runtime.model import EngineInfo, Model
from edgewright_runtime.package import Package
from edgewright_targets.errors import nearest
from edgewright_targets.host import BFLOAT16_FEATURES, INTEGER_FEATURES, architecture, host_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgewright_runtime.finished import Finished
    from edgewright_runtime.manifest import EngineSpec

# The precision of a candidate whose provider chooses the type of numbers itself.
_DECIDED_BY_PROVIDER = "default"


def load(
    path: str | Path | Package,
    *,
    engine: str | None = None,
    strict: bool = False,
    threads: int | None = None,
    emulate: bool = False,
    log_warnings: bool = False,
) -> Model:
    """Open a package and activate the engine that runs here.

        >>> from edgewright_runtime import load
        >>> with load("intents.ortpackage") as model:
        ...     labels = model("turn on the kitchen lights")
        >>> sorted(labels[0])
        ['label', 'score']
        >>> model.engine.provider
        'CPUExecutionProvider'

    Engines made for a target that this machine is come first, then others of its architecture; among these in the
    package's own order (fastest accepted first, the portable float engine last). The first engine that can run is used.
    An `EngineFallbackWarning` names engines that were skipped, and `model.engine` keeps the reasons.

    Args:
        path: Package folder, archive file, or an opened package.
        engine: Use only this engine.
        strict: Raise instead of skipping an engine, and if the provider cannot run all nodes.
        threads: Threads a call may use; by default what the engine was measured with, capped by this machine.
        emulate: Run the engine called `engine` in its provider's emulator of hardware that this machine does not have.
            No time taken there says anything about the hardware.
        log_warnings: Let ONNX Runtime write its warnings about graphs and shapes to standard error. Some come with each
            call, which then takes longer.

    Raises:
        PackageError: The path is not a readable package.
        EngineUnavailableError: No engine can run here, or `strict` or `engine` insisted on one that cannot.
    """
    from edgewright_runtime.engine import Engine

    if emulate and engine is None:
        raise EngineUnavailableError("In an emulator, one engine must be named.", hint="Name it with engine=.")
    package = path if isinstance(path, Package) else Package.open(path)
    passed: list[tuple[str, str]] = []
    found = {} if engine is not None else _finished(package)
    first = _preferred(found)
    here = () if engine is not None else package.manifest.targets_here()
    for spec in _order(package, engine, first, here):
        active = Engine(package, spec, threads=threads, emulate=emulate, log_warnings=log_warnings)
        try:
            active.activate()
        except EngineUnavailableError as error:
            if strict or engine is not None:
                hint = f"Engines in the package: {', '.join(package.manifest.order)}."
                raise EngineUnavailableError(error.message, hint=hint, reason=error.reason) from error
            passed.append((spec.name, error.reason))
            continue
        other = "" if emulate else _other_processor(package, spec)
        stranger = "" if engine is not None or spec.target in here else _stranger(package, spec)
        info = EngineInfo(
            name=spec.name,
            target=spec.target,
            provider=spec.provider,
            precision=spec.precision,
            threads=active.threads,
            nodes=active.nodes,
            reason=" ".join(
                filter(None, (_why(engine, passed, finished=spec.name in first, stranger=stranger), other))
            ),
            passed_over=(*passed, *([] if engine is not None else _unfinished(package, spec, found))),
            emulated=emulate,
        )
        _say_fallback(info, strict=strict)
        if stranger:
            warnings.warn(f"Running '{spec.name}'. {stranger}", EngineFallbackWarning, stacklevel=2)
        if other:
            warnings.warn(f"Running '{spec.name}'. {other}", OtherProcessorWarning, stacklevel=2)
        return Model(package, active, info)
    listing = "\n".join(f"  {name}: {reason}" for name, reason in passed)
    raise EngineUnavailableError(f"No engine of '{package.root}' can run here:\n{listing}")


def first_choice(package: Package, *, engine: str | None = None) -> EngineSpec:
    """The engine of a package that `load` tries first here.

    Raises:
        EngineUnavailableError: The package has no engine of that name.
    """
    first = () if engine is not None else _preferred(_finished(package))
    here = () if engine is not None else package.manifest.targets_here()
    return _order(package, engine, first, here)[0]


def _order(package: Package, engine: str | None, first: tuple[str, ...], here: tuple[str, ...]) -> list[EngineSpec]:
    manifest = package.manifest
    if engine is None:
        compared = [manifest.engines[name] for name in manifest.order if manifest.engines[name].compared]
        compared = [spec for spec in compared if spec.name not in first]
        return [*(manifest.engines[name] for name in first), *_nearest_hardware(compared, here)]
    if engine not in manifest.engines:
        raise EngineUnavailableError(
            f"'{package.root}' has no engine '{engine}'.", hint=nearest(engine, manifest.engines)
        )
    return [manifest.engines[engine]]


def _nearest_hardware(specs: Sequence[EngineSpec], here: Sequence[str]) -> list[EngineSpec]:
    """Engines of targets that this machine is, then others of its architecture, then the rest; else in their order."""

    def distance(spec: EngineSpec) -> int:
        if spec.target in here:
            return here.index(spec.target)
        return len(here) + (spec.architecture != architecture())

    return sorted(specs, key=distance)


def _finished(package: Package) -> dict[str, Finished]:
    if all(spec.compared for spec in package.manifest.engines.values()):
        return {}
    from edgewright_runtime.finished import findings

    return findings(package)


def _preferred(found: dict[str, Finished]) -> tuple[str, ...]:
    if not found:
        return ()
    from edgewright_runtime.finished import preferred

    return preferred(found)


def _unfinished(package: Package, running: EngineSpec, found: Mapping[str, Finished]) -> list[tuple[str, str]]:
    """Engines for this hardware that nobody compared with the float engine yet, and why each waits."""
    waiting = [spec for spec in package.manifest.engines.values() if not spec.compared and spec.name not in found]
    # What is another engine with other settings is that one's equal until it was timed: nothing is passed over.
    waiting = [spec for spec in waiting if spec.kind.plan]
    if not waiting:
        return []
    from edgewright_runtime.finished import fits

    return [
        (spec.name, _waiting(spec))
        for spec in waiting
        if spec.target == running.target or (spec.architecture == running.architecture and fits(spec))
    ]


def _waiting(spec: EngineSpec) -> str:
    from edgewright_runtime.providers import provider

    missing = provider(spec.provider).unavailable()
    if missing is not None:
        return missing
    return "Its outputs were not compared with the float engine's on this machine. 'edgewright finish' compares them."


def _stranger(package: Package, spec: EngineSpec) -> str:
    """That the engine was made for other hardware of this architecture, as a sentence; empty where nothing says so."""
    hardware = package.manifest.hardware
    if spec.target not in hardware:
        return ""
    return (
        f"It was made for {spec.target}, and this machine is not one of the package's targets ({', '.join(hardware)})."
    )


def _other_processor(package: Package, spec: EngineSpec) -> str:
    """That the engine gives other numbers here than where it was judged, as a sentence; else empty.

    On x86-64 products of 8 bits saturate where the processor has no instruction for them, and a provider that decides
    the precision itself decides by the instructions for bfloat16.
    """
    judged = package.manifest.judged_on.get(spec.target)
    if judged is None or spec.architecture != "x86_64":
        return ""
    for features, depends, products in (
        (INTEGER_FEATURES, spec.saturates, "integer products"),
        (BFLOAT16_FEATURES, spec.precision == _DECIDED_BY_PROVIDER, "products of bfloat16"),
    ):
        there, here = (set(features).intersection(has) for has in (judged, host_facts().features))
        if depends and bool(there) != bool(here):
            had, has = (", ".join(sorted(found)) or f"no instructions for {products}" for found in (there, here))
            return (
                f"It was judged on a processor with {had}; this one has {has}, so its outputs differ. Measure it here "
                "with 'edgewright bench'."
            )
    return ""


def _why(engine: str | None, passed: list[tuple[str, str]], *, finished: bool, stranger: str) -> str:
    if engine is not None:
        return "It was requested by name."
    if stranger:
        return stranger
    if finished:
        return "'edgewright finish' accepted it on this machine."
    if passed:
        return f"It is the first in the package's order that can run here; skipped: {_names(passed)}."
    return "It is the first in the package's order."


def _names(passed: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    return ", ".join(name for name, _ in passed)


def _say_fallback(info: EngineInfo, *, strict: bool) -> None:
    if info.passed_over:
        reasons = " ".join(dict.fromkeys(reason for _, reason in info.passed_over))
        warnings.warn(f"Running '{info.name}' instead: {reasons}", EngineFallbackWarning, stacklevel=4)
    if info.foreign_nodes:
        total = sum(info.nodes.values())
        message = f"{info.provider} runs {total - info.foreign_nodes} of {total} graph nodes of '{info.name}'."
        if strict:
            raise EngineUnavailableError(message, hint="Leave out strict to allow a partial assignment.")
        warnings.warn(f"{message} Another provider runs the others.", EngineFallbackWarning, stacklevel=4)
