"""What packages say about themselves: the manifest of a build's jobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.assemble import PackageContents
from edgewright_compiler.building.job import RUN_TOOLS, Job
from edgewright_compiler.graphs.exported import ExportedModel
from edgewright_runtime.manifest import Manifest, SourceFacts
from edgewright_targets import __version__

if TYPE_CHECKING:
    from edgewright_compiler.building.judged_target import JudgedTarget


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
        manifest,
        exported.path,
        engines,
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


def make_manifest(jobs: Sequence[Job], exported: ExportedModel, order: tuple[str, ...]) -> Manifest:
    """What a package of these jobs says about itself."""
    job = jobs[0]
    return Manifest(
        name=job.source.name,
        task=exported.task,
        measure="agreement" if job.measured.labels is None else "accuracy",
        pipeline=exported.pipeline,
        labels=exported.labels,
        order=order,
        baselines={job.target.name: job.engine_name(job.target.baseline) for job in jobs},
        source=SourceFacts(job.source.kind, job.source.name, job.source_digest),
        tools={"edgewright": __version__, **installed_versions((*job.source.tools, *RUN_TOOLS))},
        unreproducible=(),
        hardware={job.target.name: job.target.hardware for job in jobs},
    )
