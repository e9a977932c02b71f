"""From the float graphs to what a candidate's engine is made of: fixed shapes, precision, a compiled program.

fix -> quantize -> compile, each a cached stage and each only where the candidate asks for it. What a stage cannot do
with a graph is kept as the reason why the candidate failed; where there are several, it names the component.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.job import RUN_TOOLS, Job
from edgewright_compiler.building.stage import FINDINGS, CandidateError, DataKey, Stage, Stages
from edgewright_compiler.compile import CompileFacts, CompileRequest, compiler
from edgewright_compiler.graphs.exported import (
    ASSETS_FOLDER,
    GRAPH_FILE,
    ExportedModel,
    share_weights,
    tree_digest,
    write_exported,
)
from edgewright_compiler.graphs.feed_shapes import FeedShapes, Shape, shapes_of
from edgewright_compiler.graphs.fixed_shapes import FixingError, choose_shapes, fix_shapes
from edgewright_compiler.graphs.low_precision import low_precision_nodes
from edgewright_compiler.graphs.quantize import CALIBRATED, quantize
from edgewright_runtime.likeness import likeness_of
from edgewright_runtime.providers import provider
from edgewright_runtime.steps import step_kind
from edgewright_targets import Candidate, Recipe
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

# What each component is given for the calibration samples: from the folder of an exported model and its record.
Feeds = Callable[[Path, ExportedModel], "dict[str, list[Arrays]]"]

_GRAPH_TOOLS = ("onnxruntime", "onnx", "onnx-ir", "onnxscript", "numpy")
_FACTS = "facts.json"
_SHAPES = "shapes.json"
_REFERENCE = "reference.json"
# The engine alone is in a folder of its own, so that nothing else is taken for a part of it.
_ENGINE = "engine"
# Operator types that a message lists.
_SHOWN_OPERATORS = 4


@dataclass(frozen=True, kw_only=True)
class _ShapesKey:
    exported: str
    data: DataKey
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _FixKey:
    exported: str
    shapes: dict[str, dict[str, Shape]]
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _ReferenceKey:
    exported: str
    graphs: dict[str, str]
    data: DataKey
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _QuantizeKey:
    # What a graph is given is made by the others of the exported model.
    exported: str
    component: str
    recipe: Recipe
    data: DataKey | None
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _ShareKey:
    graphs: dict[str, str]
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _CompileKey:
    graph: str
    kind: str
    provider: str
    options: dict[str, str]
    shapes: FeedShapes
    allow_partial: bool
    text_limits: dict[str, int]
    tools: dict[str, str]


class Graphs:
    """The float graphs that candidates start from, and the precisions of them that were made so far.

    Args:
        stages: Run them.
        job: What is built.
        feeds: Makes what each component is given for the calibration samples.
        folder: Of the exported model.
        exported: Its record.
        shapes: Component to the shapes that it is given, where they are known before the data is read.
    """

    def __init__(
        self,
        stages: Stages,
        job: Job,
        feeds: Feeds,
        folder: Path,
        exported: ExportedModel,
        shapes: dict[str, FeedShapes] | None = None,
    ) -> None:
        self.folder = folder
        self.exported = exported
        self.digest = tree_digest(folder)
        self._stages = stages
        self._job = job
        self._feeds = feeds
        self._shapes = shapes
        self._fixed: tuple[Graphs, str] | None = None
        self._quantized: dict[tuple[str, Recipe], Path] = {}

    @property
    def components(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.exported.graphs)

    def shapes(self) -> dict[str, FeedShapes]:
        """Component to shapes of the calibration samples as its graph is given them."""
        if self._shapes is None:
            self._shapes = self._read_shapes()
        return self._shapes

    def _read_shapes(self) -> dict[str, FeedShapes]:
        def make(place: Path) -> None:
            feeds = self._feeds(self.folder, self.exported)
            found = {name: write_record(shapes_of(feeds[name])) for name in self.components}
            (place / _SHAPES).write_text(json.dumps(found), encoding="utf-8")

        key = _ShapesKey(exported=self.digest, data=DataKey.of(self._job.inputs), tools=installed_versions(RUN_TOOLS))
        path = self._stages.run(Stage("shapes", key, "Read the shapes of the data"), make) / _SHAPES
        data = json.loads(path.read_text(encoding="utf-8"))
        return {name: read_record(FeedShapes, data[name], str(path)) for name in self.components}

    def fixed(self) -> tuple[Graphs, str]:
        """The same graphs for one shape each, which the data decides; and what was chosen, as sentences.

        Raises:
            InputError: There is no data.
            CandidateError: The data has no one shape, or a graph cannot be brought to it.
        """
        self._refuse_loop(
            "The engine would be of one fixed shape, and this graph runs in a loop, whose windows or states need not "
            "be of one."
        )
        if not all(step.options.get("padded", True) for step in self.exported.pipeline.steps):
            raise CandidateError(
                "The engine would be of one fixed shape, and texts cannot be padded to it: this model takes padding "
                "for a part of the text."
            )
        if self._fixed is None:
            try:
                chosen = {name: choose_shapes(self.shapes()[name], self.text_limits(name)) for name in self.components}
            except FixingError as error:
                raise CandidateError(str(error)) from error
            shapes = {name: found for name, (found, _) in chosen.items()}
            said = " ".join(dict.fromkeys(said for _, said in chosen.values()))
            self._stages.progress.note(said)
            key = _FixKey(exported=self.digest, shapes=shapes, tools=installed_versions(_GRAPH_TOOLS))
            folder = self._stages.kept(Stage("fix", key, "Fixed the shapes"), lambda at: self._fix(shapes, at))
            alike = {
                name: FeedShapes({key: (shape,) for key, shape in found.items()}) for name, found in shapes.items()
            }
            self._fixed = Graphs(self._stages, self._job, self._feeds, folder, self.exported, alike), said
        return self._fixed

    def _fix(self, shapes: Mapping[str, Mapping[str, Shape]], place: Path) -> None:
        for name in self.components:
            with self._naming(name):
                fix_shapes(self.folder / name, shapes[name], place / name)
        if (self.folder / ASSETS_FOLDER).is_dir():
            shutil.copytree(self.folder / ASSETS_FOLDER, place / ASSETS_FOLDER)
        write_exported(place, self.exported)

    def text_length(self) -> int | None:
        """Tokens of the longest text that a graph is given here; None where none is given texts."""
        found = [
            self.shapes()[component].maximum(name)[-1]
            for component in self.components
            for name in self.text_limits(component)
            if name in self.shapes()[component].inputs
        ]
        return max(found, default=None)

    def refuse_plan(self) -> None:
        """Raise where a graph is none for TensorRT.

        Raises:
            CandidateError: It runs in a loop.
        """
        self._refuse_loop("The graph runs in a loop that is ONNX Runtime's; an engine of TensorRT runs without it.")

    def _refuse_loop(self, why: str) -> None:
        for name in self.components:
            if self.exported.in_loop(name):
                raise CandidateError(self._named(name, why))

    def text_limits(self, component: str) -> dict[str, int]:
        """Inputs of a graph that are tokens of texts, and the most that the model takes."""
        steps = self.exported.pipeline.steps
        limits = {
            name: int(step.options["max_length"])
            for step in steps
            if step_kind(step.step).tokenizes
            for name in step.options["outputs"]
        }
        wired = {
            name: value
            for step in steps
            if step.options.get("component") == component
            for name, value in dict(step.options.get("inputs") or {}).items()
        }
        inputs = self.exported.graphs[component].inputs
        return {name: limits[wired.get(name, name)] for name in inputs if wired.get(name, name) in limits}

    def tolerance(self, graphs: Mapping[str, Path]) -> tuple[float, str]:
        """What to allow an engine made of `graphs`, these in another precision, that cannot run here; and a sentence.

        Seen on this machine's processor: see `edgewright_compiler.graphs.precision_difference`.

        Raises:
            CandidateError: The precision alone changes the answers of a classifier more than the budget allows.
        """
        from edgewright_compiler.graphs.precision_difference import differences, tolerance_for

        alike = likeness_of(self.exported.pipeline)
        if len(self.components) > 1:
            # The outputs of a part are no answer.
            alike = replace(alike, chooses=False)

        def make(place: Path) -> None:
            feeds = self._feeds(self.folder, self.exported)
            pairs = {name: (self.folder / name, graphs[name], feeds[name]) for name in self.components}
            found = differences(pairs, alike)
            (place / _REFERENCE).write_text(json.dumps(found), encoding="utf-8")

        key = _ReferenceKey(
            exported=self.digest,
            graphs={name: tree_digest(graph) for name, graph in graphs.items()},
            data=DataKey.of(self._job.inputs),
            tools=installed_versions(_GRAPH_TOOLS),
        )
        path = self._stages.run(Stage("reference", key, "Compared the precision with float"), make) / _REFERENCE
        found = json.loads(path.read_text(encoding="utf-8"))
        changed, samples, budget = found["changed"], found["samples"], self._job.options.max_drop
        if changed and changed / samples > budget:
            raise CandidateError(
                f"The precision alone changes the answers to {changed} of {samples} calibration samples "
                f"({changed / samples:.1%}, the budget is {budget:.1%}), computed by ONNX Runtime's CPU."
            )
        allowed = tolerance_for(found["largest"], alike.floor)
        if found["refused"]:
            return (
                allowed,
                f"What its precision costs is not known, so it must answer as float does: {found['refused']}",
            )
        return allowed, (
            f"On the device its outputs may differ from float by {allowed:.3g}: computed by ONNX Runtime's CPU in this "
            f"precision, the graph's differed by {found['largest']:.2g} on {samples} calibration samples."
        )

    def quantized(self, candidate: Candidate) -> dict[str, Path]:
        """Component to the folder of its graph in the precision of a candidate.

        Raises:
            CandidateError: A graph cannot get it, or nothing in them got it.
        """
        made = {name: self._in_precision(name, candidate) for name in self.components}
        if self._recipes(candidate) and not self.low_precision(candidate, made):
            kinds = Counter(node.op_type for path in made.values() for node in _graph(path).graph.all_nodes())
            operators = sorted({name for recipe in self._recipes(candidate) for name in recipe.operators})
            wanted = f" ({', '.join(operators)})" if operators else ""
            has = ", ".join(f"{count} {name}" for name, count in kinds.most_common(_SHOWN_OPERATORS))
            raise CandidateError(
                f"Nothing in the graph became {candidate.precision}: it has no node with weights that the recipe "
                f"quantizes{wanted}. It has {has}."
            )
        return made

    def _recipes(self, candidate: Candidate) -> list[Recipe]:
        """The recipes of a candidate that change a graph, without those for components that the model lacks."""
        named = [recipe for name, recipe in candidate.component_recipes.items() if name in self.components]
        return [recipe for recipe in (candidate.recipe, *named) if recipe.method != "float"]

    def low_precision(self, candidate: Candidate, graphs: Mapping[str, Path]) -> dict[str, int]:
        """Operator type to the number of nodes in `graphs` that compute in the candidate's precision."""
        found: Counter[str] = Counter()
        for name, folder in graphs.items():
            recipe = candidate.component_recipes.get(name, candidate.recipe)
            if recipe.method != "float":
                found.update(low_precision_nodes(_graph(folder), half=recipe.method == "cast"))
        return dict(found.most_common())

    def _in_precision(self, component: str, candidate: Candidate) -> Path:
        recipe = candidate.component_recipes.get(component, candidate.recipe)
        if recipe.method == "float":
            return self.folder / component
        if (component, recipe) not in self._quantized:
            self._quantized[component, recipe] = self._quantize(component, recipe, candidate.precision)
        return self._quantized[component, recipe]

    def _quantize(self, component: str, recipe: Recipe, precision: str) -> Path:
        data = self._job.calibration if recipe.method in CALIBRATED else None

        def make(place: Path) -> None:
            feeds = self._feeds(self.folder, self.exported)[component] if data else []
            with self._naming(component):
                quantize(self.folder / component, recipe, feeds, place)

        key = _QuantizeKey(
            exported=self.digest,
            component=component,
            recipe=recipe,
            data=DataKey.of(data) if data else None,
            tools=installed_versions(_GRAPH_TOOLS),
        )
        title = f"Quantized {'' if len(self.components) == 1 else f'{component} '}to {precision}"
        return self._stages.kept(Stage("quantize", key, title), make)

    def shared(self, graphs: Mapping[str, Path]) -> Path:
        """Folder of these graphs over one file of weights, each stored once."""

        def make(place: Path) -> None:
            share_weights(graphs, place)

        key = _ShareKey(
            graphs={name: tree_digest(graph) for name, graph in graphs.items()},
            tools=installed_versions(_GRAPH_TOOLS),
        )
        return self._stages.run(Stage("share", key, "Stored weights of all components once"), make)

    def compiled(self, component: str, graph: Path, candidate: Candidate) -> tuple[Path, CompileFacts]:
        """Folder of what is made ahead of time from the graph in `graph`, and what its compiler said.

        Raises:
            CandidateError: The compiler does not take the graph as asked.
        """
        kind = compiler(candidate.engine)
        options = provider(candidate.provider).options(candidate.provider_options, self._job.threads)
        shapes, limits = self.shapes()[component], self.text_limits(component)

        def make(place: Path) -> None:
            request = CompileRequest(
                graph=graph,
                provider=candidate.provider,
                provider_options=options,
                shapes=shapes,
                allow_partial=candidate.allow_partial,
                text_limits=limits,
            )
            (place / _ENGINE).mkdir()
            with self._naming(component):
                facts = kind.compile_engine(request, place / _ENGINE)
            (place / _FACTS).write_text(json.dumps(write_record(facts)), encoding="utf-8")

        key = _CompileKey(
            graph=tree_digest(graph),
            kind=candidate.engine,
            provider=candidate.provider,
            options=options,
            shapes=shapes,
            allow_partial=candidate.allow_partial,
            text_limits=limits,
            tools=installed_versions(kind.TOOLS),
        )
        stage = Stage("compile", key, f"Compiled {self._named(component, candidate.name)}")
        folder = self._stages.kept(stage, make)
        data = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        return folder / _ENGINE, read_record(CompileFacts, data, str(folder / _FACTS))

    def _named(self, component: str, text: str) -> str:
        return text if len(self.components) == 1 else f"{component}: {text}"

    @contextlib.contextmanager
    def _naming(self, component: str) -> Iterator[None]:
        """Let what a stage cannot do with a graph name its component."""
        try:
            yield
        except FINDINGS as error:
            raise type(error)(self._named(component, str(error))) from error


def _graph(folder: Path) -> onnx_ir.Model:
    import onnx_ir

    return onnx_ir.load(folder / GRAPH_FILE)
