"""Settings of speed that only the device can decide, where nothing is timed: `edgewright finish` times them there.

The chosen engine ships with the threads and session options that the target's candidates list, each as an engine of the
same files that nobody prefers before it was timed.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_compiler.building.engine_files import PackedEngine
from edgewright_compiler.building.engine_maker import EngineMaker
from edgewright_compiler.building.settings_of_speed import settings_of

if TYPE_CHECKING:
    from edgewright_compiler.building.engine_files import EngineFiles
    from edgewright_compiler.building.job import Job
    from edgewright_compiler.building.judged_target import JudgedTarget
    from edgewright_compiler.building.stage import Stages


def with_device_settings(job: Job, stages: Stages, judged: JudgedTarget) -> JudgedTarget:
    """What a build decided, and behind it the engines between which `edgewright finish` decides.

    Nothing is added where engines were timed, where the chosen one was compiled for its hardware, or where no golden
    samples travel, without which nothing can be run there.

    Args:
        job: The build; its target has every candidate that was tried.
        stages: Run the stages: graphs are there already.
        judged: What was decided.
    """
    result = judged.result
    chosen = next(one for one in job.target.candidates if job.engine_name(one.name) == result.chosen)
    if job.rung == "measured" or chosen.kind.ahead_of_time or not job.options.golden_samples:
        return judged
    settings = settings_of(chosen, job.listed)
    engines = EngineMaker(job, stages).make(job.trying(settings)).engines if settings else ()
    if not engines:
        return judged
    tolerance = next(one.tolerance for one in judged.engines if one.files.draft.name == result.chosen)
    waiting = [PackedEngine(one, tolerance=tolerance, compared=False) for one in engines]
    count = "another setting" if len(engines) == 1 else f"{len(engines)} other settings"
    float_too = "" if result.chosen == result.baseline else "float and "
    reason = f"{result.reason} On the device, 'edgewright finish' times it against {float_too}{count} of its own."
    evidence = (*result.engines, *(_unfinished(one, result.chosen) for one in engines))
    return dataclasses.replace(
        judged,
        engines=(*judged.engines, *waiting),
        result=dataclasses.replace(result, engines=evidence, reason=reason),
    )


def _unfinished(engine: EngineFiles, chosen: str) -> EngineResult:
    draft = engine.draft
    return EngineResult(
        name=draft.name,
        target=draft.target,
        provider=draft.provider,
        precision=draft.precision,
        rung="declared",
        status="unfinished",
        reasons=(f"It is {chosen} with other settings of speed. 'edgewright finish' times it on the device.",),
        size_bytes=engine.size_bytes(),
        low_precision=engine.low_precision,
        float_nodes=engine.float_nodes,
    )
