"""What a package says about itself, as typed and immutable values; `manifest_file` reads and writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from edgewright_runtime.options import EXACT_PRODUCTS_KEY, THREADS_KEY
from edgewright_targets.engine_kinds import ENGINE_KINDS, PLAIN, EngineKind
from edgewright_targets.hardware import Hardware
from edgewright_targets.recipe import AS_IT_IS, Recipe

# Number of the format, written into the package and into each of its engines. Its history:
#
#   1  The first. Readers of it refuse keys that they do not know.
#   2  `judged_on`: the instruction sets that engines were judged on.
#   3  Engines of kind `openvino`, and the fields of recipes and hardware that are `added_in(3)`.
#   4  `float_groups` of recipes, where they are not all.
#
# A new field of `Manifest`, `EngineSpec`, `Recipe` or what they hold, and a new kind of engine, raise the number. A new
# field is left out of the file if it has its default (`metadata=added_in(...)`, see `edgewright_targets.record`). What
# is written has the smallest number that knows all of it, so that older readers open what they can. Of the rest they
# say that the package is newer (`PackageTooNewError`), and not that a key is unknown. Every number stays readable:
# `tests/data` keeps a package of the first.
FORMAT = 4
# The smallest number that is written.
LEAST_FORMAT = 2
COMPONENT = "model"
ASSET_FOLDER = "shared_assets"


@dataclass(frozen=True)
class StepSpec:
    """One declared step of a pipeline: its name in `steps.STEPS`, and its options."""

    step: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ComparisonSpec:
    """Steps used to compare engines when final predictions cannot be compared.

    Generated texts diverge after the first differing token; metrics of boxes need boxes of low scores as well.

    Attributes:
        steps: From a sample to `outputs`, which are compared.
        answer: Name of a value of these steps that the metric gets as well, if it needs more than arrays of scores.
        call: Options of timed calls, so that every engine does the same work.
    """

    steps: tuple[StepSpec, ...]
    answer: str
    call: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class PartSpec:
    """A sub-pipeline that can run on its own, such as from a text to its embedding.

    Attributes:
        steps: Which of the steps, counted from 0, in their order.
        output: Name of the value that a caller gets.
    """

    steps: tuple[int, ...]
    output: str


@dataclass(frozen=True)
class PipelineSpec:
    """A pipeline, from an input to a prediction, as data.

    Attributes:
        input: Name of the value that a caller gives, or `*`: the caller gives named arrays.
        output: Name of the value that a caller gets, or `*`: all outputs of the last component.
        steps: Run in order; each reads and writes named values.
        measured: How engines are compared; None means by `steps`.
        parts: Input to the sub-pipeline that needs no other input.
    """

    input: str
    output: str
    steps: tuple[StepSpec, ...]
    measured: ComparisonSpec | None = None
    parts: dict[str, PartSpec] = field(default_factory=dict)

    def step_names(self) -> tuple[str, ...]:
        """Names of all its steps, each once, with those of the comparison and steps inside steps."""
        measured = self.measured.steps if self.measured else ()
        return tuple(
            dict.fromkeys(name for spec in (*self.steps, *measured) for name in _names(spec.step, spec.options))
        )


def _names(step: str, options: dict[str, Any]) -> Iterator[str]:
    yield step
    for inner in options.get("steps", ()):
        yield from _names(inner["step"], inner.get("options", {}))


@dataclass(frozen=True)
class SourceFacts:
    """Where the model came from: kind of source, its name (no folder), digest of its files."""

    kind: str
    name: str
    digest: str


@dataclass(frozen=True)
class EnginePart:
    """One component of an engine.

    Attributes:
        model_file: ONNX file or plan, relative to the package.
        session_options: ONNX Runtime session options; asset URIs are not resolved yet.
        provider_options: Options of the provider.
    """

    model_file: str
    session_options: dict[str, str]
    provider_options: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class EngineSpec:
    """One engine of a package: a candidate compiled for a target, all components of the model together.

    Attributes:
        name: Variant name, `<target>-<candidate>`.
        target: Target it was made for.
        architecture: As `uname -m` prints it there.
        provider: Execution provider it needs.
        precision: Word for people.
        recipe: How the graphs got their precision.
        component_recipes: Component to another recipe of its own.
        pad_to_multiple_of: Padding policy of text for this engine.
        tolerance: Largest allowed difference of any output from the float outputs on the golden samples.
        parts: By component; most models have one, `model`.
        engine: Kind of its files, one of `ENGINE_KINDS`: `onnx`, or what they were compiled to ahead of time.
        compared: It was compared before it got into the package: with the float engine, or, where it is the chosen one
            with other settings of speed, with that one. One that was not is used only where `edgewright finish` did it.
    """

    name: str
    target: str
    architecture: str
    provider: str
    precision: str
    recipe: Recipe
    pad_to_multiple_of: int
    tolerance: float
    parts: dict[str, EnginePart]
    engine: str = PLAIN
    compared: bool = True
    component_recipes: dict[str, Recipe] = field(default_factory=dict)

    @property
    def kind(self) -> EngineKind:
        """What its kind of engine is."""
        return ENGINE_KINDS[self.engine]

    def option(self, name: str, default: str = "") -> str:
        """A provider option that all parts have alike."""
        found = (part.provider_options.get(name) for part in self.parts.values())
        return next((value for value in found if value is not None), default)

    @property
    def saturates(self) -> bool:
        """Whether its sums of integer products may saturate on an x86-64 processor without instructions for them.

        OpenVINO's do as well: "Nuances of int8 Computations" in the documentation of oneDNN, which computes them.
        """
        quantized = self.recipe.multiplies_integers or self.precision == AS_IT_IS
        exact = all(part.session_options.get(EXACT_PRODUCTS_KEY) == "1" for part in self.parts.values())
        return quantized and (self.provider == "OpenVINO" or (self.provider == "CPUExecutionProvider" and not exact))

    @property
    def threads(self) -> int:
        """Threads of a call; 0 is one for each core."""
        return max(int(part.session_options.get(THREADS_KEY, "0")) for part in self.parts.values())


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything a package says about itself, but for the evidence.

    Attributes:
        name: Name of the model.
        task: Task as transformers' pipelines spell it, or `arrays`.
        measure: What the choice was made on: labelled accuracy, or agreement with the float engine.
        pipeline: From an input to a prediction.
        labels: Class names by index; empty where the task has none.
        order: Engine names, best first: the first that can run here runs.
        baselines: Target to the name of its float engine.
        hardware: Target to what it asks of a machine.
        judged_on: Target to the instruction sets of the processor that its engines were judged on.
        engines: By name.
        source: What it was made from.
        tools: Tool name to version at build time.
        unreproducible: Files whose bytes differ from build to build because a vendor's compiler makes them so.
    """

    name: str
    task: str
    measure: Literal["accuracy", "agreement"]
    pipeline: PipelineSpec
    labels: tuple[str, ...]
    order: tuple[str, ...]
    baselines: dict[str, str]
    source: SourceFacts
    tools: dict[str, str]
    unreproducible: tuple[str, ...]
    hardware: dict[str, Hardware] = field(default_factory=dict)
    engines: dict[str, EngineSpec] = field(default_factory=dict)
    format: int = LEAST_FORMAT
    judged_on: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def targets_here(self) -> tuple[str, ...]:
        """Targets that this machine is, those that describe it best first."""
        here = [(name, hardware) for name, hardware in self.hardware.items() if hardware.matches_machine()]
        # Stable: of those that say as much, the package's own order.
        return tuple(name for name, _ in sorted(here, key=lambda pair: -pair[1].specificity()))

    def engines_for(self, target: str) -> tuple[str, ...]:
        """Names of the engines made for a target, best first."""
        return tuple(name for name in self.order if self.engines[name].target == target)
