"""The facts of a candidate: what its groups cost and hurt. What takes long is a stage, which the cache keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.candidate_graphs import GRAPH_TOOLS, Graphs
from edgewright_compiler.building.job import RUN_TOOLS, Job
from edgewright_compiler.building.stage import Stage
from edgewright_compiler.compile import compiler
from edgewright_compiler.graphs.exported import GRAPH_FILE, copy_graph, load_graph
from edgewright_compiler.graphs.quantize import CALIBRATION_SAMPLES, write_prepared
from edgewright_compiler.search._profile_process import GRAPHS, ProfileRequest
from edgewright_compiler.search.facts import Border, Facts, GroupFacts
from edgewright_compiler.search.groups import find_groups
from edgewright_compiler.search.node_costs import PROFILED_FEEDS, NoCostsError, costs, profile
from edgewright_compiler.search.operations import operations
from edgewright_compiler.search.sensitivity import NoErrorsError, sensitivity
from edgewright_runtime.providers import provider
from edgewright_targets import Candidate, HostFacts, Recipe, host_facts

if TYPE_CHECKING:
    from pathlib import Path

    import onnx_ir

    from edgewright_compiler.search.groups import LowForm
    from edgewright_runtime.wire import Arrays

# What the errors of one graph may take: the groups of BERT-base on two samples, on two cores.
ERROR_SECONDS = 60.0
# What a profile of two graphs may take; the fewest rounds are run in any case.
PROFILE_SECONDS = 8.0
# Providers whose profiler tells what nodes cost: the others make one node of many.
_PROFILED = frozenset({"CPUExecutionProvider", "OpenVINO"})


@dataclass(frozen=True, kw_only=True)
class _ErrorsKey:
    exported: str
    component: str
    recipe: Recipe
    feeds: str
    seconds: float
    threads: int
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _Errors:
    """What `Sensitivity` holds, with names of groups; `refused` says why there is none."""

    errors: dict[str, float]
    whole: float | None = None
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class _CostsKey:
    exported: str
    component: str
    recipe: Recipe
    feeds: str
    profile: ProfileRequest
    machine: HostFacts
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _Costs:
    """What `Costs` holds, with names of groups; `refused` says why there is none."""

    float_groups: dict[str, float]
    low_groups: dict[str, float]
    float_seconds: float = 0.0
    low_seconds: float = 0.0
    borders: tuple[tuple[str, str, float], ...] = ()
    refused: str = ""


def find_facts(
    graphs: Graphs,
    candidate: Candidate,
    *,
    error_seconds: float = ERROR_SECONDS,
    profile_seconds: float = PROFILE_SECONDS,
) -> Facts:
    """The facts of a candidate, from calibration samples alone.

    Args:
        graphs: The float graphs, and the precisions that were made of them.
        candidate: Its recipes make the low precision, its provider runs the graphs.
        error_seconds: How long errors may be looked for in each graph, where the cache has none.
        profile_seconds: How long each pair of graphs may be profiled, where the cache has nothing.

    Raises:
        CandidateError: The graphs cannot get the precision.
    """
    if candidate.kind.ahead_of_time and compiler(candidate.engine).STATIC_SHAPES:
        graphs, _ = graphs.fixed()
    low = graphs.quantized(candidate).folders
    found: list[GroupFacts] = []
    errors: list[_Errors] = []
    costs: list[_Costs] = []
    borders: list[Border] = []
    for component in graphs.components:
        recipe = candidate.component_recipes.get(component, candidate.recipe)
        if recipe.method == "float":
            continue
        part = _Part(graphs, component, recipe, low[component])
        errors.append(part.errors(graphs.job.threads_of(candidate), error_seconds))
        costs.append(part.costs(candidate, profile_seconds))
        groups = part.facts(errors[-1], costs[-1])
        named = {one.group.name: one.group for one in groups}
        borders += [
            Border(giver=named[giver], taker=named[taker], seconds=seconds)
            for giver, taker, seconds in costs[-1].borders
        ]
        found += groups
    wholes = [one.whole for one in errors if one.whole is not None]
    timed = bool(costs) and not any(one.refused for one in costs)
    return Facts(
        candidate=candidate.name,
        groups=tuple(found),
        float_seconds=sum(one.float_seconds for one in costs) if timed else None,
        low_seconds=sum(one.low_seconds for one in costs) if timed else None,
        # Of several graphs, each adds its own to what the answer is made of.
        error=math.sqrt(sum(whole**2 for whole in wholes)) if wholes else None,
        borders=tuple(borders),
        note=" ".join(dict.fromkeys(filter(None, [one.refused for one in errors] + [one.refused for one in costs]))),
    )


class _Part:
    """One graph in both precisions."""

    def __init__(self, graphs: Graphs, component: str, recipe: Recipe, low: Path) -> None:
        self._graphs = graphs
        self._component = component
        self._recipe = recipe
        self._low = low
        self._feeds: list[Arrays] | None = None

    def feeds(self) -> list[Arrays]:
        if self._feeds is None:
            self._feeds = self._graphs.feeds.read(self._graphs.exported, self._component)
        return self._feeds

    def facts(self, errors: _Errors, costs: _Costs) -> list[GroupFacts]:
        """The groups with all that is known of each."""
        with self._graphs.stages.scratch() as scratch:
            model, _, forms = self._compared(scratch)
            counts = operations(scratch / GRAPH_FILE, model, _middle(self.feeds()))
            sizes = {form.group: _weight_bytes(form) for form in forms}
        return [
            GroupFacts(
                group=form.group,
                float_seconds=costs.float_groups.get(form.group.name),
                low_seconds=costs.low_groups.get(form.group.name),
                error=errors.errors.get(form.group.name),
                operations=sum(counts.get(node, 0.0) for node in form.group.nodes),
                weight_bytes=sizes[form.group],
            )
            for form in forms
        ]

    def errors(self, threads: int, seconds: float) -> _Errors:
        """What each group hurts; a stage."""
        graphs = self._graphs
        if graphs.job.calibration is None:
            return _Errors(
                errors={},
                refused="What quantization hurts was not looked for: there is no calibration data apart from the "
                "evaluation data.",
            )
        key = _ErrorsKey(
            exported=graphs.exported.digest,
            component=self._component,
            recipe=self._recipe,
            feeds=graphs.feeds.digest(graphs.exported),
            seconds=seconds,
            threads=threads,
            tools=installed_versions(GRAPH_TOOLS),
        )
        title = graphs.named(self._component, f"Found what {self._recipe.method} quantization hurts")
        return graphs.stages.record(Stage("errors", key, title), _Errors, lambda: self._find_errors(threads, seconds))

    def _find_errors(self, threads: int, seconds: float) -> _Errors:
        with self._graphs.stages.scratch() as scratch:
            model, low, forms = self._compared(scratch)
            counts = operations(scratch / GRAPH_FILE, model, _middle(self.feeds()))

            def cost(form: LowForm) -> float:
                return sum(counts.get(node, 0.0) for node in form.group.nodes)

            ordered = sorted(forms, key=cost, reverse=True)
            try:
                found = sensitivity(
                    model,
                    low,
                    ordered,
                    self.feeds(),
                    seconds=seconds,
                    threads=threads,
                    progress=self._graphs.stages.progress,
                )
            except NoErrorsError as error:
                return _Errors(errors={}, refused=f"What quantization hurts was not found. {error}")
        return _Errors(errors={group.name: error for group, error in found.errors.items()}, whole=found.whole)

    def costs(self, candidate: Candidate, seconds: float) -> _Costs:
        """What each group costs in both precisions, in seconds a sample; a stage."""
        graphs, job = self._graphs, self._graphs.job
        if reason := _untimed(job, candidate):
            return _Costs(float_groups={}, low_groups={}, refused=f"{reason} Operations stand in for times.")
        threads = job.threads_of(candidate)
        request = ProfileRequest(
            provider=candidate.provider,
            provider_options=provider(candidate.provider).options(candidate.provider_options, threads),
            session_options=candidate.session_options,
            threads=threads,
            seconds=seconds,
        )
        key = _CostsKey(
            exported=graphs.exported.digest,
            component=self._component,
            recipe=self._recipe,
            feeds=graphs.feeds.digest(graphs.exported),
            profile=request,
            machine=host_facts(),
            tools=installed_versions((*GRAPH_TOOLS, *RUN_TOOLS, "openvino")),
        )
        title = graphs.named(self._component, f"Found what {candidate.name} costs node by node")
        return graphs.stages.record(Stage("costs", key, title), _Costs, lambda: self._find_costs(request))

    def _find_costs(self, request: ProfileRequest) -> _Costs:
        feeds = self.feeds()
        with self._graphs.stages.scratch() as scratch:
            model, low, forms = self._compared(scratch / GRAPHS[0])
            copy_graph(self._low, scratch / GRAPHS[1])
            chosen = [feeds[index * len(feeds) // PROFILED_FEEDS] for index in range(min(PROFILED_FEEDS, len(feeds)))]
            try:
                response = profile(scratch, chosen, request)
                found = costs(scratch, response, model, low, forms)
            except NoCostsError as error:
                refused = f"Nothing was timed node by node: {error} Operations stand in for times."
                return _Costs(float_groups={}, low_groups={}, refused=refused)
        # A graph in a loop runs several times for a sample.
        calls = len(feeds) / min(CALIBRATION_SAMPLES, len(self._graphs.job.inputs.samples))
        return _Costs(
            float_groups={group.name: calls * seconds for group, (seconds, _) in found.groups.items()},
            low_groups={group.name: calls * seconds for group, (_, seconds) in found.groups.items()},
            float_seconds=calls * found.float_seconds,
            low_seconds=calls * found.low_seconds,
            borders=tuple((one.giver.name, one.taker.name, calls * one.seconds) for one in found.borders),
        )

    def _compared(self, place: Path) -> tuple[onnx_ir.Model, onnx_ir.Model, tuple[LowForm, ...]]:
        """The float graph as the quantizer was given it, with its weights in `place`; the quantized one; the groups."""
        import onnx_ir

        # Feeds are asked for only to see that there are some; ranges were found before.
        write_prepared(self._graphs.exported.path / self._component, self._recipe, self.feeds(), place)
        model, low = onnx_ir.load(place / GRAPH_FILE), load_graph(self._low)
        return model, low, find_groups(self._component, model, low, self._recipe)


def _untimed(job: Job, candidate: Candidate) -> str:
    """Why no profile of a candidate would say anything here, as a sentence; empty where one does."""
    if job.modes[candidate.name].runs != "here":
        return f"Nothing was timed node by node: this machine is not {job.target.name}."
    if candidate.provider not in _PROFILED:
        return f"Nothing was timed node by node: {candidate.provider} compiles a graph to few nodes."
    return ""


def _middle(feeds: list[Arrays]) -> Arrays:
    """A feed of middling size."""
    ordered = sorted(feeds, key=lambda feed: sum(value.size for value in feed.values()))
    return ordered[len(ordered) // 2] if ordered else {}


def _weight_bytes(form: LowForm) -> int:
    weights = {
        value.name: value.const_value.nbytes
        for node in form.float_nodes
        for value in node.inputs
        if value is not None and value.const_value is not None
    }
    return sum(weights.values())
