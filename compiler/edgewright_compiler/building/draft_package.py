"""Packages without evidence: engines are measured in one, and the float engine runs the steps in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgewright_compiler.building.assemble import PackageContents, assemble
from edgewright_compiler.building.engine_draft import draft_engine
from edgewright_compiler.building.engine_files import EngineFiles, PackedEngine, PartFiles
from edgewright_compiler.building.job import Job
from edgewright_compiler.building.manifests import make_manifest
from edgewright_compiler.graphs.exported import ExportedFolder


def float_engine(job: Job, exported: ExportedFolder, *, as_written: bool = False) -> EngineFiles:
    """The float baseline for this machine, whatever the target: it runs the steps and answers for the export."""
    parts = {name: PartFiles(exported.path / name) for name in exported.components}
    return EngineFiles(draft_engine(job, job.baseline, tuple(parts), as_written=as_written).here(), parts)


def write_draft(place: Path, job: Job, exported: ExportedFolder, engines: Sequence[EngineFiles]) -> None:
    """Write a package of `engines`, none of them judged, to `place`."""
    place.mkdir()
    names = tuple(engine.draft.name for engine in engines)
    packed = tuple(PackedEngine(engine) for engine in engines)
    assemble(
        place,
        PackageContents(manifest=make_manifest([job], exported.model, names), exported=exported.path, engines=packed),
    )
