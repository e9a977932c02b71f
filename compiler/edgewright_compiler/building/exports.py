"""The first two stages: the source as graphs, and whether these answer as their source does."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.draft_package import float_engine, write_draft
from edgewright_compiler.building.export_check import Compared, compare_with_source
from edgewright_compiler.building.job import RUN_TOOLS, Job
from edgewright_compiler.building.stage import DataKey, Stage, Stages
from edgewright_compiler.graphs.exported import ExportedFolder
from edgewright_compiler.graphs.quantize import CALIBRATION_SAMPLES

# Real inputs that the export is compared with its source on.
_CHECKED_SAMPLES = 16


@dataclass(frozen=True, kw_only=True)
class _ExportKey:
    kind: str
    source: str
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _CheckKey:
    # The source too: another source may export to the same graph and answer differently.
    kind: str
    source: str
    exported: str
    data: DataKey
    compared: int
    tools: dict[str, str]


def export(stages: Stages, job: Job) -> ExportedFolder:
    """The source of the job as graphs."""
    source = job.source
    key = _ExportKey(kind=source.kind, source=job.source_digest, tools=installed_versions(source.tools))
    return ExportedFolder.read(stages.run(Stage("export", key, f"Exported {source.name} to ONNX"), source.export))


def checked_samples(job: Job) -> Sequence[Any]:
    """Real inputs that answers are compared on before anything is measured."""
    return job.inputs.spread(CALIBRATION_SAMPLES)[:_CHECKED_SAMPLES]


def check(stages: Stages, job: Job, exported: ExportedFolder) -> None:
    """Compare the graphs with their source, and tell what they cannot do that it can.

    Raises:
        CheckFailedError: They do not answer as their source does.
        InputError: The data does not fit the model.
    """
    data, samples = job.inputs, checked_samples(job)
    limits = {name: most for part in exported.components for name, most in exported.model.text_limits(part).items()}

    def make() -> Compared:
        with stages.scratch() as scratch:
            engine = float_engine(job, exported)
            if job.source.graph_itself:
                # What optimizations change is another matter; see `edgewright_compiler.building.optimizations`.
                engine = dataclasses.replace(engine, draft=engine.draft.without_optimizations())
            write_draft(scratch / "package", job, exported, [engine])
            return compare_with_source(job.source, scratch / "package", samples, data.name, limits)

    key = _CheckKey(
        kind=job.source.kind,
        source=job.source_digest,
        exported=exported.digest,
        data=DataKey.of(data),
        compared=len(samples),
        tools=installed_versions((*job.source.tools, *RUN_TOOLS)),
    )
    title = f"Checked the export against its source on {len(samples)} inputs"
    for note in stages.record(Stage("check", key, title), Compared, make).notes:
        stages.progress.note(f"  {note}")
