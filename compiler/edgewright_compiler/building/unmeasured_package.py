"""A package of every candidate that can be made, none of them measured: to run candidates elsewhere."""

from __future__ import annotations

from pathlib import Path

from edgewright_benchmarks.progress import Progress
from edgewright_compiler.building.draft_package import write_draft
from edgewright_compiler.building.engine_maker import EngineMaker
from edgewright_compiler.building.job import Job
from edgewright_compiler.building.stage import Stages
from edgewright_compiler.cache import StageCache


def draft_package(job: Job, destination: Path, cache: StageCache, progress: Progress) -> tuple[str, ...]:
    """Write a package of every candidate that can be made, none of them measured; gives their names.

    This is what a build measures; by itself it serves to run candidates elsewhere, such as in an emulator.
    """
    made = EngineMaker(job, Stages(cache, progress)).make()
    write_draft(destination, job, made.exported, made.engines)
    return tuple(engine.draft.name for engine in made.engines)
