"""The final package of a build: what ships for each target, and what the package says about itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from edgewright_compiler.building.assemble import PackageContents
from edgewright_compiler.building.job import Job
from edgewright_compiler.building.judged_target import JudgedTarget
from edgewright_compiler.building.manifests import make_manifest
from edgewright_runtime.manifest import Manifest


def package_contents(jobs: Sequence[Job], made: Sequence[JudgedTarget], *, golden_samples: bool) -> PackageContents:
    """The final package: for each target what ships, in the order of the targets; with golden samples, or without."""
    engines = tuple(engine for entry in made for engine in entry.engines)
    exported = made[0].exported
    manifest = make_manifest(jobs, exported.model, tuple(engine.files.draft.name for engine in engines))
    manifest = dataclasses.replace(
        manifest,
        unreproducible=tuple(path for engine in engines for path in engine.files.unreproducible()),
        judged_on=_judged_on(manifest, made),
    )
    return PackageContents(
        manifest=manifest,
        exported=exported.path,
        engines=engines,
        golden=made[0].golden if golden_samples else None,
        evidence={entry.target: entry.result for entry in made},
        documents={name: text for entry in made for name, text in entry.documents.items()},
    )


def _judged_on(manifest: Manifest, made: Sequence[JudgedTarget]) -> dict[str, tuple[str, ...]]:
    """Target to the instruction sets of the processor of its kind that ran its engines, or of the emulated one."""
    machines = {entry.target: entry.result.machine for entry in made}
    return {
        name: machine.features
        for name, machine in machines.items()
        if machine.architecture == manifest.hardware[name].architecture
    }
