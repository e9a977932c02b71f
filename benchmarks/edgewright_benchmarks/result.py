"""What a measurement found: raw values and what was computed from them; see `result_files` for its form as a file.

A `Result` is the evidence of a build (all candidates, on the evaluation data) or of a bench (the engines in a
package, on data the choice never saw). The report, the package and the command line all read this one form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.optimizer_facts import OptimizerFacts
from edgewright_benchmarks.search_trace import SearchTrace
from edgewright_targets import HostFacts, InputError
from edgewright_targets.record import ADDED_LATER, RecordError

# Name and number of the schema, written into each result. Its history:
#
#   1  The first. Fields that were added since have a default: a result without them is read.
#
# The number is raised when older results can no longer be read: a field that is required is new, or means something
# else. Evidence lies in packages, so a reader of a new number keeps reading the ones before.
SCHEMA = "edgewright.result/1"
# Characters that a message shows of names.
_SHOWN = 200
Measure = Literal["accuracy", "agreement"]
# Who said a setting of a build: a build file, the command line, a program that called; or what the source is.
Origin = Literal["default", "found", "file", "command line", "call"]


@dataclass(frozen=True)
class DataFacts:
    """The samples that were used: file name (no folder), digest, count, whether labelled, digest of the file alone.

    The last is the same however many samples of the file were used; it is empty where that is the first digest as well.
    """

    name: str
    digest: str
    samples: int
    labelled: bool
    table: str = ""

    def same_data(self, other: DataFacts) -> bool:
        """Whether the samples of both are drawn from the same data."""
        return self.digest == other.digest or (self.table or self.digest) == (other.table or other.digest)


@dataclass(frozen=True)
class OwnCode:
    """Code of the user's own that judged, or a metric that was asked for by name. The code itself is nowhere kept.

    Attributes:
        option: `--metric`, `--pre` or `--post`.
        name: `package.module:function`, or the name of a metric.
        digest: SHA-256 of the function's file and of those that it uses; empty for a metric by name.
    """

    option: str
    name: str
    digest: str = ""

    def words(self) -> str:
        """All of it, the digest cut off."""
        return f"{self.option} {self.name}" + (f" (SHA-256 {self.digest[:16]}...)" if self.digest else "")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How it was measured: rounds, calls a round and engine, warm-up calls, threads, seed, busy programs beside."""

    rounds: int
    calls: int
    warmup: int
    threads: int
    seed: int
    beside: int = 0


@dataclass(frozen=True)
class Setting:
    """A setting of a build that was in force.

    Attributes:
        name: As in a build file, such as `budget.max_drop`.
        value: In words; of a file its name, without folders.
        origin: Who said it.
    """

    name: str
    value: str
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measurement of several engines on one machine.

    Attributes:
        kind: `build`: the choice was made from it; `bench`: made after the choice, on other data.
        model: Name of the model for people.
        task: Task name as transformers' pipelines spell it, or `arrays`.
        measure: What `accuracy.drop` is a drop of: labelled accuracy, or agreement with the float baseline.
        max_drop: The user's budget, as a share (0.01 is one percentage point).
        confidence: Of the bounds that decided (0..1).
        baseline: Name of the float engine.
        chosen: Name of the engine that ships.
        reason: Why, in one sentence.
        engines: In the order they were tried.
        data: What it was measured on.
        machine: Where.
        versions: Tool name to version.
        settings: How.
        warnings: What makes these figures less sure, and what to do about it.
        created: UTC time, ISO 8601.
        optimizer: What ONNX Runtime's optimizations change; None where the model is not a graph that came as a file.
        search: How the engine that ships was found; None where a build did not search.
        own_code: What the user set in place of the task's own metric and data.
        build_settings: All settings of the build, defaults too; empty in a bench, and in evidence that does not say.
    """

    kind: Literal["build", "bench"]
    model: str
    task: str
    measure: Measure
    max_drop: float
    baseline: str
    chosen: str
    reason: str
    engines: tuple[EngineResult, ...]
    data: DataFacts
    machine: HostFacts
    versions: dict[str, str]
    settings: Settings
    warnings: tuple[str, ...]
    created: str
    schema: str = SCHEMA
    optimizer: OptimizerFacts | None = None
    confidence: float = 0.95
    search: SearchTrace | None = None
    own_code: tuple[OwnCode, ...] = ()
    build_settings: tuple[Setting, ...] = field(default=(), metadata=ADDED_LATER)

    def __post_init__(self) -> None:
        unjudged = [engine.name for engine in self.engines if engine.status == "unjudged"]
        if unjudged:
            raise RecordError(f"A result has engines that were not judged: {', '.join(unjudged)[:_SHOWN]}.")

    def engine(self, name: str) -> EngineResult:
        """The result of the engine called `name`."""
        for engine in self.engines:
            if engine.name == name:
                return engine
        raise InputError(
            f"No engine '{name}' in this result.", hint=f"It has: {', '.join(e.name for e in self.engines)}."
        )
