"""What a build decides about the engines of a target: which of them ship, and what is allowed to them later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.building.build_evidence import judge_readings
from edgewright_compiler.building.engine_files import PackedEngine
from edgewright_compiler.building.settings_of_speed import other_arithmetic
from edgewright_compiler.building.target_readings import TargetReadings
from edgewright_compiler.graphs.exported import ExportedFolder
from edgewright_compiler.graphs.precision_difference import tolerance_for
from edgewright_runtime.likeness import Likeness, likeness_of
from edgewright_runtime.selftest import golden_samples
from edgewright_targets import Target

if TYPE_CHECKING:
    from edgewright_benchmarks.engine_result import EngineResult
    from edgewright_benchmarks.predictions import Prediction
    from edgewright_benchmarks.result import Result
    from edgewright_benchmarks.search_trace import SearchTrace
    from edgewright_compiler.building.job import Job
    from edgewright_compiler.building.made_engines import MadeEngines


@dataclass(frozen=True, kw_only=True)
class JudgedTarget:
    """What a build has for one target.

    Attributes:
        target: Its name.
        exported: The exported model.
        engines: Those that ship, best first.
        documents: File name to text of what compilers said about all its engines.
        golden: File with the golden samples that the engines were judged on.
        result: The evidence.
    """

    target: str
    exported: ExportedFolder
    engines: tuple[PackedEngine, ...]
    documents: dict[str, str]
    golden: Path
    result: Result


def judge_target(
    job: Job,
    made: MadeEngines,
    measured: Sequence[TargetReadings],
    golden: Path | None,
    unproven: Sequence[EngineResult] = (),
    search: SearchTrace | None = None,
) -> JudgedTarget:
    """Judge the engines of the target of `job`.

    Args:
        job: Its options say the budget.
        made: The engines.
        measured: Their measurements, see `judge_readings`.
        golden: The golden samples that ship, where those of another target do.
        unproven: Engines that were not measured on the samples that count, see there.
        search: How the engines were found.
    """
    result = judge_readings(job, made, measured, unproven, search)
    golden = golden or measured[0].golden
    alike = likeness_of(made.exported.model.pipeline)
    engines = {engine.draft.name: engine for engine in made.engines}
    unfinished = {engine.name for engine in result.engines if engine.status == "unfinished"}
    judged = []
    for name in (*package_engines(job.target, result), *_other_arithmetic(job, result)):
        engine = engines[name]
        # Of an engine that was measured again all answers are the same.
        found = next((one for one in measured if name in one.readings), measured[0])
        allowed = _tolerance(found, name, alike, golden) if engine.tolerance is None else engine.tolerance
        judged.append(PackedEngine(engine, tolerance=allowed, compared=name not in unfinished))
    return JudgedTarget(
        target=job.target.name,
        exported=made.exported,
        engines=tuple(judged),
        documents={name: text for engine in made.engines for name, text in engine.documents().items()},
        golden=golden,
        result=result,
    )


def _other_arithmetic(job: Job, result: Result) -> tuple[str, ...]:
    """Accepted engines that differ from the chosen one in session options, where only the device can time them."""
    if job.rung == "measured":
        return ()
    accepted = [engine.name for engine in result.engines if engine.status == "accepted"]
    shipped = package_engines(job.target, result)
    return tuple(name for name in other_arithmetic(job, result.chosen, accepted) if name not in shipped)


def _tolerance(found: TargetReadings, engine: str, alike: Likeness, golden: Path) -> float:
    """How far an engine may be from the float outputs on the golden samples, when it is verified later.

    Args:
        found: What was seen of it.
        engine: Its name.
        alike: How outputs are compared.
        golden: The golden samples that ship, which another target may have made: the first that both answered.
    """
    if engine not in found.readings:
        # It was not run, so nothing was seen.
        return alike.floor
    own: Sequence[Prediction] = found.readings[engine].predictions
    if found.golden_predictions is not None:
        own = found.golden_predictions.get(engine, ())
    pairs = zip(own, golden_samples(golden), strict=False)
    seen = max((alike.difference(made.outputs, sample.outputs) for made, sample in pairs), default=0.0)
    return alike.floor if seen == float("inf") else tolerance_for(seen, alike.floor)


def package_engines(target: Target, result: Result) -> tuple[str, ...]:
    """Names of the engines that ship, best first.

    The chosen one; the fastest accepted one that needs nothing but ONNX Runtime, for devices without the plugin; and
    the float baseline, which runs everywhere. Behind them go those that only the device can judge.
    """
    portable = next(c.provider for c in target.candidates if c.name == target.baseline)
    accepted = [
        (engine.latency.ratio.value if engine.latency else 0.0, index)
        for index, engine in enumerate(result.engines)
        if engine.status == "accepted" and engine.provider == portable
    ]
    names = [result.engines[index].name for _, index in sorted(accepted)[:1]]
    unfinished = [engine.name for engine in result.engines if engine.status == "unfinished"]
    return tuple(dict.fromkeys([result.chosen, *names, result.baseline, *unfinished]))
