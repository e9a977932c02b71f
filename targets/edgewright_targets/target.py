"""Targets: named pieces of hardware, and the candidates worth trying on them, as values."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal, get_args

from edgewright_targets.engine_kinds import ENGINE_KINDS, PLAIN, EngineKind
from edgewright_targets.hardware import Hardware
from edgewright_targets.recipe import AS_IT_IS, Recipe

# From best to worst; a rung is never rounded up.
Rung = Literal["measured", "emulated", "compiled", "declared"]
RUNGS: tuple[Rung, ...] = get_args(Rung)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A recipe on an execution provider, with the options that decide its speed.

    Attributes:
        name: Unique within the target, such as `cpu-int8`.
        provider: ONNX Runtime's name of the execution provider.
        precision: The word shown to people: `fp32`, `int8`, `int8-dynamic`, `default` (the provider decides), ...
        recipe: How the graph gets there; all graphs of a model that is several.
        component_recipes: Component to another recipe for it, where a model has such a component.
        pad_to_multiple_of: Text is padded to a multiple of so many tokens: providers that compile for each new shape
            want few shapes, providers that do not want no padding.
        session_options: ONNX Runtime session options, as strings.
        provider_options: Options of the provider, as strings.
        engine: Kind of engine, one of `ENGINE_KINDS`: `onnx` is the graph itself, compiled by the provider where it is
            loaded.
        allow_partial: A part of the graph may be left to the CPU provider; otherwise that is a failure.
        tasks: The tasks it is tried for; empty is all of them.
        without_isa: Tried only on a processor that has none of these instruction sets; empty is any processor.
        with_isa: Tried only on a processor that has one of these instruction sets; empty is any processor.
        quantized_only: Tried only for graphs that are quantized already.
        search_only: Tried only by a build that searches; a plain build leaves it out.
        threads: Threads of a call; 0 is as the build decides.
        fixed_axes: Free axes of the graphs' inputs get the one length that they have in the data.
    """

    name: str
    provider: str
    precision: str
    recipe: Recipe = field(default_factory=Recipe)
    pad_to_multiple_of: int = 1
    session_options: dict[str, str] = field(default_factory=dict)
    provider_options: dict[str, str] = field(default_factory=dict)
    engine: str = PLAIN
    allow_partial: bool = False
    tasks: tuple[str, ...] = ()
    component_recipes: dict[str, Recipe] = field(default_factory=dict)
    without_isa: tuple[str, ...] = ()
    with_isa: tuple[str, ...] = ()
    quantized_only: bool = False
    search_only: bool = False
    threads: int = 0
    fixed_axes: bool = False

    @property
    def kind(self) -> EngineKind:
        """What its kind of engine is."""
        return ENGINE_KINDS[self.engine]

    def repeats(self, other: Candidate) -> bool:
        """Whether its engine would be that of another candidate under another name."""
        named = dataclasses.replace(self, name=other.name, precision=other.precision, search_only=other.search_only)
        return named == other

    def without_rewrites(self) -> Candidate:
        """The candidate of the graphs as they are exported."""
        others = {name: dataclasses.replace(recipe, rewrites=()) for name, recipe in self.component_recipes.items()}
        plain = dataclasses.replace(self.recipe, rewrites=())
        return dataclasses.replace(self, recipe=plain, component_recipes=others)

    def in_float8(self) -> bool:
        """Whether a graph of it has float8."""
        recipes = (self.recipe, *self.component_recipes.values())
        return any("float8" in kind for one in recipes for kind in (one.activation_type, one.weight_type))


@dataclass(frozen=True, kw_only=True)
class Target:
    """A named piece of hardware.

    Attributes:
        name: As on the command line.
        title: For people.
        architecture: As `uname -m` prints it.
        rung: The best rung that engines for it can reach from an ordinary x86-64 Linux host that is not the target
            itself; on the target itself it is `measured`.
        baseline: Name of the candidate that everything else is compared with: plain float, on the portable provider.
        candidates: What is tried, the preferred first: where no speed can be measured, this order decides.
        cores: Processor cores, 0 where it says nothing of them.
        emulated_cpu: Processor model that an emulator is asked for.
        machine_model: Begins what the machine's firmware says it is (`/proc/device-tree/model`); empty where every
            machine of the architecture will do.
        isa: Instruction sets that it has beyond its architecture's, as `/proc/cpuinfo` calls them.
        memory_bytes: Memory that it has for engines; 0 where it says nothing of it, or boards differ.
        compute_capabilities: What NVIDIA calls the GPUs it may have, such as `8.9`; empty where it says nothing of one.
        vulkan_gpu: It has a GPU that Vulkan drives, of any maker.
    """

    name: str
    title: str
    architecture: str
    rung: Rung
    baseline: str
    candidates: tuple[Candidate, ...]
    cores: int = 0
    emulated_cpu: str = ""
    machine_model: str = ""
    isa: tuple[str, ...] = ()
    compute_capabilities: tuple[str, ...] = ()
    memory_bytes: int = 0
    vulkan_gpu: bool = False

    def for_task(self, task: str) -> Target:
        """This target with the candidates that are tried for `task`."""
        fitting = tuple(one for one in self.candidates if not one.tasks or task in one.tasks)
        return dataclasses.replace(self, candidates=fitting)

    def for_processor(self, features: Collection[str]) -> Target:
        """This target with the candidates that are tried on a processor with these instruction sets.

        Of a target that is not this machine, only those that it names are known. Candidates for processors that lack
        some are then left out.
        """
        here = self.matches_machine()
        known = set(features) if here else set(self.isa)
        fitting = tuple(
            one
            for one in self.candidates
            if (not one.without_isa or (here and not set(one.without_isa) & known))
            and (not one.with_isa or set(one.with_isa) & known)
        )
        return dataclasses.replace(self, candidates=fitting)

    def for_float(self) -> Target:
        """This target without the candidates that only a graph that is quantized already has."""
        return dataclasses.replace(self, candidates=tuple(one for one in self.candidates if not one.quantized_only))

    def for_plain_build(self) -> Target:
        """This target without the candidates that only a search tries."""
        return dataclasses.replace(self, candidates=tuple(one for one in self.candidates if not one.search_only))

    def for_quantized(self) -> Target:
        """This target with the candidates that leave the numbers of a graph alone, under names that say so.

        Of a graph that is quantized already, `fp32` would be the wrong word for the same graph as it came.
        """
        kept = [one for one in self.candidates if one.recipe.method == "float" and not one.recipe.rewrites]
        names = {one.name: one.name.replace("fp32", AS_IT_IS) for one in kept}
        renamed = tuple(
            dataclasses.replace(
                one, name=names[one.name], precision=AS_IT_IS if one.precision == "fp32" else one.precision
            )
            for one in kept
        )
        return dataclasses.replace(self, candidates=renamed, baseline=names.get(self.baseline, self.baseline))

    def for_threads(self, threads: int, *, fixed: bool) -> Target:
        """This target with the numbers of threads that are tried, each graph once with each number.

        Args:
            threads: What the build decides for candidates that say nothing.
            fixed: All candidates have this number, whatever they say.
        """
        kept: list[Candidate] = []
        for one in self.candidates:
            said = one.threads
            own = 0 if fixed or said == threads else said
            fitting = dataclasses.replace(one, threads=own)
            if not said or own or one.name == self.baseline or not any(fitting.repeats(other) for other in kept):
                kept.append(fitting)
        return dataclasses.replace(self, candidates=tuple(kept))

    @property
    def hardware(self) -> Hardware:
        """What it asks of a machine."""
        return Hardware(self.architecture, self.machine_model, self.isa, self.compute_capabilities, self.vulkan_gpu)

    def matches_machine(self) -> bool:
        """Whether this machine is this target. Sharing its architecture is not enough: figures would be others."""
        return self.hardware.matches_machine()
