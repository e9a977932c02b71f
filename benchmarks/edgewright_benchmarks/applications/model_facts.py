"""The models of an application: which engine answered, and what the evidence of its own build says of that engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.result import Measure
from edgewright_benchmarks.result_files import result_from_json
from edgewright_targets import Rung

if TYPE_CHECKING:
    from edgewright_benchmarks.engine_result import EngineResult
    from edgewright_runtime.applications.application import Application
    from edgewright_runtime.model import EngineInfo
    from edgewright_runtime.package import Package


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A model of an application.

    Attributes:
        name: In the application.
        task: Of its package.
        engine: The engine that answered; empty where no sample needed the model.
        provider: Of that engine; likewise the precision and the target.
        precision: In words.
        target: What the engine was made for.
        baseline: The float baseline of that target.
        rung: How the evidence of the model's own build came to its figures of that engine; `declared` without any.
        ratio: Its latency over that of its float baseline, in that evidence; None unless measured there.
        drop: What it loses against its float baseline, in that evidence; None where it could not run there.
        measure: What that drop is a drop of.
    """

    name: str
    task: str
    engine: str = ""
    provider: str = ""
    precision: str = ""
    target: str = ""
    baseline: str = ""
    rung: Rung = "declared"
    ratio: Interval | None = None
    drop: Interval | None = None
    measure: Measure = "accuracy"


def facts_of_models(application: Application) -> tuple[ModelFacts, ...]:
    """All models of an application whose calls are over, in the order in which they are declared.

    Raises:
        InputError: The evidence of a model cannot be read.
    """
    tasks = {name: package.manifest.task for name, package in application.package.models.items()}
    engines, models = application.engines, application.package.models
    return tuple(
        _facts(name, task, engines[name], models[name]) if name in engines else ModelFacts(name=name, task=task)
        for name, task in tasks.items()
    )


def _facts(name: str, task: str, info: EngineInfo, package: Package) -> ModelFacts:
    where = f"{package.root}: evidence for {info.target}"
    evidence = result_from_json(package.evidence(info.target), where)
    found = next((one for one in evidence.engines if one.name == info.name), None)
    return ModelFacts(
        name=name,
        task=task,
        engine=info.name,
        provider=info.provider,
        precision=info.precision,
        target=info.target,
        baseline=package.manifest.baselines[info.target],
        rung="declared" if found is None else found.rung,
        ratio=None if found is None else _ratio(found),
        drop=None if found is None else _drop(found),
        measure=evidence.measure,
    )


def _ratio(engine: EngineResult) -> Interval | None:
    # Times from an emulator, or from nowhere, are not times.
    return engine.latency.ratio if engine.latency is not None and engine.rung == "measured" else None


def _drop(engine: EngineResult) -> Interval | None:
    return engine.accuracy.drop if engine.accuracy is not None and engine.rung in ("measured", "emulated") else None
