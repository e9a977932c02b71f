"""From the float graphs to the graphs of a candidate: in fixed shapes, in its precision, over shared weights.

Each is a cached stage, and runs only where the candidate asks for it. What a stage cannot do with a graph is kept as
the reason why the candidate failed; where there are several graphs, the reason names the component.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.calibration_feeds import Feeds
from edgewright_compiler.building.job import Job
from edgewright_compiler.building.probes import comparison_feeds
from edgewright_compiler.building.quantized_graphs import QuantizedGraphs, counted
from edgewright_compiler.building.stage import FINDINGS, CandidateError, Stage, Stages
from edgewright_compiler.graphs.exported import (
    ASSETS_FOLDER,
    GRAPH_FILE,
    ExportedFolder,
    share_weights,
    tree_digest,
    write_exported,
)
from edgewright_compiler.graphs.feed_shapes import FeedShapes, Shape, shapes_of
from edgewright_compiler.graphs.fixed_shapes import FixingError, choose_shapes, fix_shapes
from edgewright_compiler.graphs.float_groups.find import FloatOperator, find_float_operators, would_change
from edgewright_compiler.graphs.free_dimensions import free_dimensions
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.quantizers import CALIBRATED
from edgewright_compiler.graphs.rewrite import COMPARED, compare_rewritten, rewrite
from edgewright_runtime.options import FREE_DIMENSION
from edgewright_targets import Candidate, Recipe
from edgewright_targets.recipe import FloatGroup

# What graphs of another precision or shape depend on, beside the graph.
GRAPH_TOOLS = ("onnxruntime", "onnx", "onnx-ir", "onnxscript", "numpy")


# What is kept of a graph: its component, how it is rewritten, and the groups.
_Kept = tuple[str, tuple[str, ...], tuple[FloatGroup, ...]]


@dataclass(frozen=True)
class _ShapesKey:
    feeds: str


@dataclass(frozen=True)
class _Shapes:
    components: dict[str, FeedShapes]


@dataclass(frozen=True, kw_only=True)
class _FixKey:
    exported: str
    shapes: dict[str, dict[str, Shape]]
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _RewriteKey:
    exported: str
    component: str
    rewrites: tuple[str, ...]
    # It is compared on them.
    feeds: str
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _QuantizeKey:
    exported: str
    component: str
    recipe: Recipe
    # Of a graph that was rewritten before.
    rewritten: str | None
    # Nodes that stay in float because of what they are: what the recipe's groups come to in this graph.
    float_nodes: tuple[str, ...]
    # Of methods that are calibrated.
    feeds: str | None
    tools: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _ShareKey:
    graphs: dict[str, str]
    tools: dict[str, str]


class Graphs:
    """The float graphs that candidates start from, and the precisions of them that were made so far.

    Args:
        stages: Run them.
        job: What is built.
        feeds: What the graphs are given for the calibration samples.
        exported: Their folder.
        shapes: Component to the shapes that it is given, where they are known before the data is read.
    """

    def __init__(
        self,
        stages: Stages,
        job: Job,
        feeds: Feeds,
        exported: ExportedFolder,
        shapes: dict[str, FeedShapes] | None = None,
    ) -> None:
        self.stages = stages
        self.job = job
        self.feeds = feeds
        self.exported = exported
        self._shapes = shapes
        self._fixed: tuple[Graphs, str] | None = None
        self._quantized: dict[tuple[str, Recipe], Path] = {}
        self._float_operators: dict[_Kept, tuple[FloatOperator, ...]] = {}

    @property
    def components(self) -> tuple[str, ...]:
        """Their names."""
        return self.exported.components

    def shapes(self) -> dict[str, FeedShapes]:
        """Component to shapes of the calibration samples as its graph is given them."""
        if self._shapes is None:
            self._shapes = self._read_shapes()
        return self._shapes

    def _read_shapes(self) -> dict[str, FeedShapes]:
        def make() -> _Shapes:
            return _Shapes({name: shapes_of(self.feeds.read(self.exported, name)) for name in self.components})

        stage = Stage("shapes", _ShapesKey(self.feeds.digest(self.exported)), "Read the shapes of the data")
        return self.stages.record(stage, _Shapes, make).components

    def fixed(self) -> tuple[Graphs, str]:
        """The same graphs for one shape each, which the data decides; and what was chosen, as sentences.

        Raises:
            InputError: There is no data.
            CandidateError: The data has no one shape, or a graph cannot be brought to it.
        """
        self._refuse_loop(
            "The engine needs one fixed shape, but this graph runs in a loop whose windows or states may vary in shape."
        )
        if not all(step.options.get("padded", True) for step in self.exported.model.pipeline.steps):
            raise CandidateError(
                "The engine needs one fixed shape, but texts cannot be padded to it: padding changes this model's "
                "outputs."
            )
        if self._fixed is None:
            try:
                chosen = {
                    name: choose_shapes(self.shapes()[name], self.exported.model.text_limits(name))
                    for name in self.components
                }
            except FixingError as error:
                raise CandidateError(str(error)) from error
            shapes = {name: found for name, (found, _) in chosen.items()}
            note = " ".join(dict.fromkeys(note for _, note in chosen.values()))
            self.stages.progress.note(note)
            key = _FixKey(exported=self.exported.digest, shapes=shapes, tools=installed_versions(GRAPH_TOOLS))
            folder = self.stages.kept(Stage("fix", key, "Fixed the shapes"), lambda at: self._fix(shapes, at))
            alike = {
                name: FeedShapes({key: (shape,) for key, shape in found.items()}) for name, found in shapes.items()
            }
            self._fixed = Graphs(self.stages, self.job, self.feeds, ExportedFolder.read(folder), alike), note
        return self._fixed

    def _fix(self, shapes: Mapping[str, Mapping[str, Shape]], place: Path) -> None:
        for name in self.components:
            with self.naming(name):
                fix_shapes(self.exported.path / name, shapes[name], place / name)
        if (self.exported.path / ASSETS_FOLDER).is_dir():
            shutil.copytree(self.exported.path / ASSETS_FOLDER, place / ASSETS_FOLDER)
        write_exported(place, self.exported.model)

    def fixed_axes(self, folders: Mapping[str, Path]) -> dict[str, dict[str, str]]:
        """Session options that give free axes the length that they have in all samples, by component.

        Args:
            folders: Component to the folder of its graph.

        Raises:
            CandidateError: Samples differ, a graph runs in a loop, or no axis is free.
        """
        self._refuse_loop("Its axes cannot be fixed: the graph runs in a loop whose windows or states vary in shape.")
        found = {}
        for name, folder in folders.items():
            try:
                lengths = free_dimensions(folder, self.shapes()[name])
            except FixingError as error:
                raise CandidateError(self.named(name, str(error))) from error
            found[name] = {f"{FREE_DIMENSION}{axis}": str(length) for axis, length in lengths.items()}
        if not any(found.values()):
            raise CandidateError("Its inputs have one shape already: no axis is free.")
        return found

    def text_length(self) -> int | None:
        """Tokens of the longest text that a graph is given here; None where none is given texts."""
        found = [
            self.shapes()[component].maximum(name)[-1]
            for component in self.components
            for name in self.exported.model.text_limits(component)
            if name in self.shapes()[component].inputs
        ]
        return max(found, default=None)

    def refuse_plan(self) -> None:
        """Raise if TensorRT cannot take a graph.

        Raises:
            CandidateError: It runs in a loop.
        """
        self._refuse_loop("The graph runs in a loop of ONNX Runtime, which an engine of TensorRT does not have.")

    def _refuse_loop(self, why: str) -> None:
        for name in self.components:
            if self.exported.model.in_loop(name):
                raise CandidateError(self.named(name, why))

    def quantized(self, candidate: Candidate) -> QuantizedGraphs:
        """The graphs in the precision of a candidate.

        Raises:
            CandidateError: A graph cannot get it, or nothing in them got it.
        """
        self._refuse_unchanged(candidate)
        folders = {name: self._in_precision(name, candidate) for name in self.components}
        recipes = {name: candidate.component_recipes.get(name, candidate.recipe) for name in folders}
        return counted(candidate, folders, {name: self._in_float(name, recipe) for name, recipe in recipes.items()})

    def _in_float(self, component: str, recipe: Recipe) -> tuple[FloatOperator, ...]:
        """The nodes of a component that a recipe leaves in float because of what they are, and would take otherwise."""
        if not recipe.kept_groups:
            return ()
        key = (component, recipe.rewrites, recipe.kept_groups)
        if key not in self._float_operators:
            self._float_operators[key] = find_float_operators(self.float_graph(component, recipe.rewrites), recipe)
        return tuple(one for one in self._float_operators[key] if would_change(one, recipe))

    def _refuse_unchanged(self, candidate: Candidate) -> None:
        """Raise where a candidate rewrites nothing, and is another candidate of the target but for that."""
        recipes = {name: candidate.component_recipes.get(name, candidate.recipe) for name in self.components}
        asked = {name: recipe.rewrites for name, recipe in recipes.items() if recipe.rewrites}
        plain = candidate.without_rewrites()
        if not asked or not any(plain.repeats(other) for other in self.job.target.candidates):
            return
        if all(self.float_graph(name, words) == self.exported.path / name for name, words in asked.items()):
            words = dict.fromkeys(word for words in asked.values() for word in words)
            raise CandidateError(f"There is nothing to rewrite: the graph has no pattern of {', '.join(words)}.")

    def float_graph(self, component: str, rewrites: tuple[str, ...]) -> Path:
        """Folder of the float graph of a component, rewritten; the exported one where there is nothing to rewrite.

        Raises:
            CandidateError: It cannot be rewritten, or answers otherwise then.
        """
        source = self.exported.path / component
        if not rewrites:
            return source

        def make(place: Path) -> None:
            with self.naming(component):
                if rewrite(source, rewrites, place):
                    feeds = self.feeds.read(self.exported, component)[:COMPARED]
                    limits = self.exported.model.text_limits(component)
                    compare_rewritten(place, source, comparison_feeds(source, feeds, limits))

        key = _RewriteKey(
            exported=self.exported.digest,
            component=component,
            rewrites=rewrites,
            feeds=self.feeds.digest(self.exported),
            tools=installed_versions(GRAPH_TOOLS),
        )
        stage = Stage("rewrite", key, f"Rewrote {self.named(component, ', '.join(rewrites))}")
        folder = self.stages.kept(stage, make)
        return folder if (folder / GRAPH_FILE).exists() else source

    def _in_precision(self, component: str, candidate: Candidate) -> Path:
        recipe = candidate.component_recipes.get(component, candidate.recipe)
        if recipe.method == "float":
            return self.float_graph(component, recipe.rewrites)
        if (component, recipe) not in self._quantized:
            self._quantized[component, recipe] = self._quantize(component, recipe, candidate.precision)
        return self._quantized[component, recipe]

    def _quantize(self, component: str, recipe: Recipe, precision: str) -> Path:
        graph = self.float_graph(component, recipe.rewrites)
        calibrated = recipe.method in CALIBRATED and self.job.calibration is not None

        def make(place: Path) -> None:
            feeds = self.feeds.read(self.exported, component) if calibrated else []
            with self.naming(component):
                quantize(graph, recipe, feeds, place)

        key = _QuantizeKey(
            exported=self.exported.digest,
            component=component,
            # Which nodes keep 32 bits beside floats of 16 is not among those names.
            recipe=dataclasses.replace(
                recipe, float_groups=() if recipe.float_type == "float32" else recipe.wide_groups
            ),
            float_nodes=tuple(one.node for one in self._in_float(component, recipe)),
            rewritten=tree_digest(graph) if recipe.rewrites else None,
            feeds=self.feeds.digest(self.exported) if calibrated else None,
            # With NNCF installed afterwards, a graph that failed for want of it is made.
            tools=installed_versions((*GRAPH_TOOLS, "nncf") if recipe.method == "nncf" else GRAPH_TOOLS),
        )
        title = f"Quantized {'' if len(self.components) == 1 else f'{component} '}to {precision}"
        return self.stages.kept(Stage("quantize", key, title), make)

    def shared(self, graphs: Mapping[str, Path]) -> Path:
        """Folder of these graphs over one file of weights, each stored once."""

        def make(place: Path) -> None:
            share_weights(graphs, place)

        key = _ShareKey(
            graphs={name: tree_digest(graph) for name, graph in graphs.items()},
            tools=installed_versions(GRAPH_TOOLS),
        )
        return self.stages.run(Stage("share", key, "Stored weights of all components once"), make)

    def named(self, component: str, text: str) -> str:
        """The text with the name of the component in front, where there are several."""
        return text if len(self.components) == 1 else f"{component}: {text}"

    @contextlib.contextmanager
    def naming(self, component: str) -> Iterator[None]:
        """Let what a stage cannot do with a graph name its component."""
        try:
            yield
        except FINDINGS as error:
            raise type(error)(self.named(component, str(error))) from error
