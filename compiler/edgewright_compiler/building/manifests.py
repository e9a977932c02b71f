"""What packages say about themselves: the manifest of a build's jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.job import RUN_TOOLS, Job
from edgewright_compiler.graphs.exported import ExportedModel
from edgewright_runtime.manifest import Manifest, SourceFacts
from edgewright_targets import __version__

if TYPE_CHECKING:
    pass


def make_manifest(jobs: Sequence[Job], exported: ExportedModel, order: tuple[str, ...]) -> Manifest:
    """What a package of these jobs says about itself."""
    job = jobs[0]
    return Manifest(
        name=job.source.name,
        task=exported.task,
        measure="agreement" if job.evaluation.labels is None else "accuracy",
        pipeline=exported.pipeline,
        labels=exported.labels,
        order=order,
        baselines={job.target.name: job.engine_name(job.target.baseline) for job in jobs},
        source=SourceFacts(job.source.kind, job.source.name, job.source_digest),
        tools={"edgewright": __version__, **installed_versions((*job.source.tools, *RUN_TOOLS))},
        unreproducible=(),
        hardware={job.target.name: job.target.hardware for job in jobs},
    )
