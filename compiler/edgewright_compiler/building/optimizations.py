"""What ONNX Runtime's optimizations change of a graph that came as a file, and whether they stay on for it.

Such a graph is not an export of a program that it could be compared with: what it means is what it answers as it is
written. What a user of ONNX Runtime sees is what it answers optimized. Where the two are further apart than rounding
explains, the metric judges; without ground truth the graph runs as it is written.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.accuracy import Scoring
from edgewright_benchmarks.devices.engine_worker import Place
from edgewright_benchmarks.measuring.emulated_answers import answer_engines
from edgewright_benchmarks.optimizer_facts import OptimizerFacts
from edgewright_benchmarks.result import OwnCode
from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.draft_package import float_engine, write_draft
from edgewright_compiler.building.exports import checked_samples
from edgewright_compiler.building.job import RUN_TOOLS, Job
from edgewright_compiler.building.stage import DataKey, Stage, Stages
from edgewright_compiler.graphs.changed_nodes import changed_nodes, largest_share
from edgewright_compiler.graphs.exported import ExportedFolder
from edgewright_runtime import load
from edgewright_runtime.errors import EngineUnavailableError, InferenceError
from edgewright_runtime.probe import Probe
from edgewright_targets import host_facts

if TYPE_CHECKING:
    from collections.abc import Sequence


# Largest difference, as a share of the outputs' size, that another order of operations explains. Float32 has 24 bits,
# and sums of thousands of products lose some; float16 has 11; a step of 8 bits is 1/255, and layers add theirs up.
_FLOAT32, _FLOAT16, _INTEGERS = 1e-3, 1e-2, 5e-2


@dataclass(frozen=True, kw_only=True)
class _OptimizerKey:
    exported: str
    data: DataKey
    compared: int
    judged_on: DataKey
    labelled: bool
    here: bool
    # Where integers saturate depends on the processor.
    architecture: str
    features: tuple[str, ...]
    tools: dict[str, str]
    own_code: tuple[OwnCode, ...]


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """How far the optimized graph is from the one as it is written; for the fields see `OptimizerFacts`."""

    difference: float | None = None
    nodes: tuple[str, ...] = ()
    refused: str = ""

    def exceeds(self, allowed: float) -> bool:
        return self.difference is None or self.difference > allowed


def allowed_difference(quantized: str) -> float:
    """What rounding explains in a graph; `quantized` as `quantized_already` says it."""
    if not quantized:
        return _FLOAT32
    return _FLOAT16 if "float16" in quantized else _INTEGERS


def optimizer_facts(stages: Stages, job: Job, exported: ExportedFolder) -> OptimizerFacts:
    """What the optimizations change of the float engine's answers, and whether they stay on; a cached stage.

    Args:
        stages: Keep it.
        job: Has the samples that both answer.
        exported: The graphs as they came.
    """
    samples = checked_samples(job)
    allowed = allowed_difference(job.source.quantized)

    def make() -> OptimizerFacts:
        with stages.scratch() as scratch:
            engine = float_engine(job, exported)
            # Both in one package, which has their weights once.
            names = engine.draft.name, f"{engine.draft.name}-as-written"
            written = dataclasses.replace(engine.draft.without_optimizations(), name=names[1])
            other = dataclasses.replace(engine, draft=written)
            write_draft(scratch / "package", job, exported, [engine, other])
            compared = _compare(scratch / "package", names, samples, exported, allowed)
            # Sums of integers may saturate on this processor, which says nothing about that one.
            tellable = job.target.matches_machine() or not job.source.quantized
            asked = compared.exceeds(allowed) and not compared.refused and tellable
            drop = _drop(stages, job, scratch / "package", names) if asked else None
            return _facts(compared, allowed, len(samples), drop, judged_on=len(job.evaluation.samples), asked=asked)

    key = _OptimizerKey(
        exported=exported.digest,
        data=DataKey.of(job.inputs),
        compared=len(samples),
        judged_on=DataKey.of(job.evaluation),
        labelled=job.evaluation.labels is not None,
        here=job.target.matches_machine(),
        architecture=host_facts().architecture,
        features=host_facts().features,
        tools=installed_versions(RUN_TOOLS),
        own_code=job.options.own.facts(),
    )
    title = f"Compared the graph with and without ONNX Runtime's optimizations on {len(samples)} inputs"
    facts = stages.record(Stage("optimizer", key, title), OptimizerFacts, make)
    # The budget is not the stage's: what is lost stays the same under another one.
    return facts if facts.drop is None else dataclasses.replace(facts, kept=facts.drop <= job.options.max_drop)


def _facts(
    compared: _Compared, allowed: float, samples: int, drop: float | None = None, *, judged_on: int = 0, asked: bool
) -> OptimizerFacts:
    """All that was found; `asked` is whether the metric decides, which it does for each budget anew."""
    return OptimizerFacts(
        difference=compared.difference,
        allowed=allowed,
        samples=samples,
        nodes=compared.nodes,
        kept=not asked and not compared.refused,
        drop=drop,
        judged_on=0 if drop is None else judged_on,
        refused=compared.refused,
    )


def _compare(
    package: Path, names: Sequence[str], samples: Sequence[Any], exported: ExportedFolder, allowed: float
) -> _Compared:
    answers = []
    for name in names:
        try:
            # By name: it is the float engine of a target that this machine need not be.
            with load(package, engine=name, strict=True) as model:
                probe = Probe(model)
                answers.append([probe.values_for_comparison(sample)["outputs"] for sample in samples])
        except (EngineUnavailableError, InferenceError) as error:
            # As it is written it ran when it was checked.
            return _Compared(refused=error.reason if isinstance(error, EngineUnavailableError) else error.message)
    gaps = [largest_share(*pair) for pair in zip(*answers, strict=True)]
    worst = max(range(len(gaps)), key=lambda index: gaps[index])
    nodes: list[str] = []
    if gaps[worst] > allowed:
        with load(package, engine=names[-1], strict=True) as model:
            feeds = {name: given[0] for name, given in Probe(model).recorded_feeds(samples[worst]).items() if given}
        for component, given in feeds.items():
            nodes += changed_nodes(exported.path / component, given, allowed)
    return _Compared(difference=gaps[worst] if gaps[worst] < float("inf") else None, nodes=tuple(nodes))


def _drop(stages: Stages, job: Job, package: Path, names: Sequence[str]) -> float | None:
    """What the metric loses by the optimizations, as a share; None where there is no ground truth, or no answer."""
    if job.evaluation.labels is None:
        return None
    places = {name: Place() for name in names}
    title = "running with and without optimizations"
    readings = answer_engines(package, places, job.evaluation.samples, title, stages.progress)
    if any(one.failure is not None for one in readings.values()):
        return None
    optimized, written = (readings[name].predictions for name in names)
    return Scoring(job.metric, job.evaluation.labels, written).of(optimized).drop.value
