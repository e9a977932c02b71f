"""Engines before they are measured, and packages of them without evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from edgewright_compiler.building.assemble import assemble
from edgewright_compiler.building.engine_files import EngineFiles, PartFiles
from edgewright_compiler.building.job import Job
from edgewright_compiler.building.manifests import make_manifest
from edgewright_compiler.graphs.exported import ExportedFolder
from edgewright_runtime.manifest import EnginePart, EngineSpec
from edgewright_runtime.options import AS_WRITTEN, EXACT_PRODUCTS_KEY, OPTIMIZATION_KEY, THREADS_KEY
from edgewright_runtime.providers import provider
from edgewright_targets import Candidate
from edgewright_targets.host import architecture

# Methods whose graphs multiply bytes.
_OF_PRODUCTS = ("static", "dynamic")


def engine_spec(job: Job, candidate: Candidate, components: Sequence[str], *, as_written: bool) -> EngineSpec:
    """What is known of a candidate's engine before it has files.

    Args:
        job: Whose target it is for.
        candidate: How it is made.
        components: Those of the model.
        as_written: Whether the float engine runs without ONNX Runtime's optimizations.
    """
    session_options = {THREADS_KEY: str(job.device_threads), **candidate.session_options}
    # Of float8 the optimizations make other numbers; see `edgewright_compiler.graphs.precision_difference`.
    without = candidate.in_float8() or (as_written and candidate.name == job.target.baseline)
    if without and candidate.provider == "CPUExecutionProvider":
        session_options[OPTIMIZATION_KEY] = AS_WRITTEN
    part = EnginePart(
        model_file="",
        session_options=session_options,
        provider_options=provider(candidate.provider).options(candidate.provider_options, job.threads),
    )
    return EngineSpec(
        name=job.engine_name(candidate.name),
        target=job.target.name,
        architecture=job.target.architecture,
        provider=candidate.provider,
        precision=candidate.precision,
        recipe=candidate.recipe,
        component_recipes={name: recipe for name, recipe in candidate.component_recipes.items() if name in components},
        pad_to_multiple_of=candidate.pad_to_multiple_of,
        tolerance=0.0,
        parts=dict.fromkeys(components, part),
        engine=candidate.engine,
    )


def float_engine(job: Job, exported: ExportedFolder, *, as_written: bool = False) -> EngineFiles:
    """The float baseline for this machine, whatever the target: it runs the steps and answers for the export."""
    parts = {name: PartFiles(exported.path / name) for name in exported.components}
    return here(EngineFiles(engine_spec(job, job.baseline, tuple(parts), as_written=as_written), parts))


def without_optimizations(files: EngineFiles) -> EngineFiles:
    """The same engine with all of ONNX Runtime's optimizations off."""
    return _with_session_options(files, {OPTIMIZATION_KEY: AS_WRITTEN}, tuple(files.spec.parts))


def here(files: EngineFiles) -> EngineFiles:
    """The same engine as one for this machine."""
    return dataclasses.replace(files, spec=dataclasses.replace(files.spec, architecture=architecture()))


def exactly_here(files: EngineFiles) -> EngineFiles:
    """The same engine for this machine, with integer products as all processors but x86-64 without VNNI add them up.

    An emulated engine is compared with it: what saturates here would be taken for a difference there. Where the
    processor has VNNI, or is another than x86-64, the option changes nothing.
    """
    spec = files.spec
    of_products = [name for name in spec.parts if spec.component_recipes.get(name, spec.recipe).method in _OF_PRODUCTS]
    return here(_with_session_options(files, {EXACT_PRODUCTS_KEY: "1"}, of_products))


def _with_session_options(files: EngineFiles, options: dict[str, str], components: Sequence[str]) -> EngineFiles:
    parts = {
        name: dataclasses.replace(part, session_options={**part.session_options, **options})
        if name in components
        else part
        for name, part in files.spec.parts.items()
    }
    return dataclasses.replace(files, spec=dataclasses.replace(files.spec, parts=parts))


def write_draft(place: Path, job: Job, exported: ExportedFolder, engines: Sequence[EngineFiles]) -> None:
    """Write a package of `engines` to `place`, without evidence."""
    place.mkdir()
    names = tuple(engine.spec.name for engine in engines)
    assemble(place, make_manifest([job], exported.model, names), exported.path, engines)
