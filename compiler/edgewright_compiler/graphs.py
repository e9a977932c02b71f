"""From the float component to what a candidate's engine is made of: fixed shapes, precision, a compiled program.

fix -> quantize -> compile, each a cached stage and each only where the candidate asks for it. What a stage cannot do
with this graph is kept as the reason why the candidate failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.compile import CompileError, CompileFacts, CompileRequest, compiler
from edgewright_compiler.component import Component, tree_digest
from edgewright_compiler.job import RUN_TOOLS
from edgewright_compiler.quantize import CALIBRATED, QuantizationError, quantize
from edgewright_compiler.shapes import FeedShapes, shapes_of
from edgewright_compiler.static import FixingError, choose_shapes, fix_shapes
from edgewright_compiler.tasks import find_task
from edgewright_runtime.providers import provider
from edgewright_targets import Candidate, Recipe
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    from edgewright_compiler.engines import EngineMaker

_GRAPH_TOOLS = ("onnxruntime", "onnx", "onnx-ir", "onnxscript", "numpy")
_FAILURE = "failure.txt"
_FACTS = "facts.json"
_SHAPES = "shapes.json"
_REFERENCE = "reference.json"
# The engine alone is in a folder of its own, so that nothing else is taken for a part of it.
_ENGINE = "engine"
_EXPECTED = (QuantizationError, CompileError, FixingError)


class CandidateError(Exception):
    """A candidate cannot be made from this model; the text says why, for people."""


class Graph:
    """A float graph that candidates start from, and the precisions of it that were made so far."""

    def __init__(
        self, maker: EngineMaker, folder: Path, component: Component, shapes: FeedShapes | None = None
    ) -> None:
        self.folder = folder
        self.digest = tree_digest(folder)
        self._maker = maker
        self._component = component
        self._shapes = shapes
        self._fixed: tuple[Graph, str] | None = None
        self._quantized: dict[Recipe, Path] = {}

    def shapes(self) -> FeedShapes:
        """Shapes of the calibration samples as this graph is given them."""
        if self._shapes is None:
            self._shapes = self._read_shapes()
        return self._shapes

    def _read_shapes(self) -> FeedShapes:
        def make(place: Path) -> None:
            found = shapes_of(self._maker.feeds(self.folder, self._component))
            (place / _SHAPES).write_text(json.dumps(write_record(found)), encoding="utf-8")

        parts = {
            "component": self.digest,
            "data": self._maker.job.inputs.digest,
            "tools": installed_versions(RUN_TOOLS),
        }
        path = self._maker.stage("shapes", "Read the shapes of the data", parts, make) / _SHAPES
        return read_record(FeedShapes, json.loads(path.read_text(encoding="utf-8")), str(path))

    def fixed(self) -> tuple[Graph, str]:
        """The same graph for one shape, which the data decides; and what was chosen, as a sentence.

        Raises:
            InputError: The data has no one shape.
            CandidateError: The graph cannot be brought to it.
        """
        if self._component.pipeline.loops:
            raise CandidateError(
                "The engine would be of one fixed shape, and this graph runs in a loop with a state that grows."
            )
        if self._fixed is None:
            shapes, said = choose_shapes(self.shapes(), _texts(self._component))
            self._maker.progress.note(said)
            parts = {"component": self.digest, "shapes": shapes, "tools": installed_versions(_GRAPH_TOOLS)}
            folder = _kept(
                self._maker, "fix", "Fixed the shapes", parts, lambda at: fix_shapes(self.folder, shapes, at)
            )
            alike = FeedShapes({name: (shape,) for name, shape in shapes.items()})
            self._fixed = Graph(self._maker, folder, self._component, alike), said
        return self._fixed

    def text_length(self) -> int | None:
        """Tokens of the longest text that the graph is given here; None where it is not given texts."""
        names = [name for name in _texts(self._component) if name in self.shapes().inputs]
        return self.shapes().maximum(names[0])[-1] if names else None

    def refuse_loop(self) -> None:
        """Raise where the graph runs in a loop.

        Raises:
            CandidateError: It does.
        """
        if self._component.pipeline.loops:
            raise CandidateError(
                "The graph runs in a loop whose state stays with ONNX Runtime; an engine of TensorRT runs without it."
            )

    @property
    def text_limits(self) -> dict[str, int]:
        """Inputs of the graph that are tokens of texts, and the most that the model takes."""
        return _texts(self._component)

    def tolerance(self, graph: Path) -> tuple[float, str]:
        """What to allow an engine made of `graph`, this one in another precision, that cannot run here; and a sentence.

        Seen on this machine's processor: see `edgewright_compiler.reference`.

        Raises:
            CandidateError: The precision alone changes the answers of a classifier more than the budget allows.
        """
        from edgewright_compiler.reference import NoReferenceError, precision_difference, tolerance_for

        def make(place: Path) -> None:
            feeds = self._maker.feeds(self.folder, self._component)
            found: dict[str, Any] = {"largest": 0.0, "changed": 0, "samples": 0, "refused": ""}
            try:
                found |= write_record(precision_difference(self.folder, graph, feeds))
            except NoReferenceError as error:
                found["refused"] = str(error)
            (place / _REFERENCE).write_text(json.dumps(found), encoding="utf-8")

        parts = {
            "component": self.digest,
            "graph": tree_digest(graph),
            "data": self._maker.job.inputs.digest,
            "tools": installed_versions(_GRAPH_TOOLS),
        }
        path = self._maker.stage("reference", "Compared the precision with float", parts, make) / _REFERENCE
        found = json.loads(path.read_text(encoding="utf-8"))
        changed, samples, budget = found["changed"], found["samples"], self._maker.job.options.max_drop
        if self._component.labels and samples and changed / samples > budget:
            raise CandidateError(
                f"The precision alone changes the answers to {changed} of {samples} calibration samples "
                f"({changed / samples:.1%}, the budget is {budget:.1%}), computed by ONNX Runtime's CPU."
            )
        allowed = tolerance_for(found["largest"])
        if found["refused"]:
            return (
                allowed,
                f"What its precision costs is not known, so it must answer as float does: {found['refused']}",
            )
        return allowed, (
            f"On the device its outputs may differ from float by {allowed:.3g}: computed by ONNX Runtime's CPU in this "
            f"precision, the graph's differed by {found['largest']:.2g} on {samples} calibration samples."
        )

    def quantized(self, recipe: Recipe, precision: str) -> Path:
        """Folder of the graph in the precision of `recipe`; `precision` is its word for people.

        Raises:
            CandidateError: The graph cannot get it.
        """
        if recipe.method == "float":
            return self.folder
        if recipe not in self._quantized:
            self._quantized[recipe] = self._quantize(recipe, precision)
        return self._quantized[recipe]

    def _quantize(self, recipe: Recipe, precision: str) -> Path:
        calibrated = recipe.method in CALIBRATED
        float_heads = find_task(self._component.task).float_heads
        data = self._maker.job.calibration if calibrated else None

        def make(place: Path) -> None:
            feeds = self._maker.feeds(self.folder, self._component) if data else []
            quantize(self.folder, recipe, feeds, place, float_heads=float_heads)

        parts = {
            "component": self.digest,
            "recipe": write_record(recipe),
            "float_heads": float_heads,
            "data": data.digest if data else None,
            "tools": installed_versions(_GRAPH_TOOLS),
        }
        return _kept(self._maker, "quantize", f"Quantized to {precision}", parts, make)


def compiled(
    maker: EngineMaker, graph: Path, shapes: FeedShapes, candidate: Candidate, text_limits: dict[str, int]
) -> tuple[Path, CompileFacts]:
    """Folder of the engine of `candidate` made ahead of time from the graph in `graph`, and what its compiler said.

    Raises:
        CandidateError: The compiler does not take the graph as asked.
    """
    kind = compiler(candidate.engine)
    options = provider(candidate.provider).options(candidate.provider_options, maker.job.threads)

    def make(place: Path) -> None:
        request = CompileRequest(graph, candidate.provider, options, shapes, candidate.allow_partial, text_limits)
        (place / _ENGINE).mkdir()
        facts = kind.compile_engine(request, place / _ENGINE)
        (place / _FACTS).write_text(json.dumps(write_record(facts)), encoding="utf-8")

    parts = {
        "graph": tree_digest(graph),
        "kind": candidate.engine,
        "provider": [candidate.provider, options],
        "shapes": write_record(shapes),
        "allow_partial": candidate.allow_partial,
        "text_limits": text_limits,
        "tools": installed_versions(kind.TOOLS),
    }
    folder = _kept(maker, "compile", f"Compiled {candidate.name}", parts, make)
    facts = read_record(CompileFacts, json.loads((folder / _FACTS).read_text(encoding="utf-8")), str(folder / _FACTS))
    return folder / _ENGINE, facts


def _kept(maker: EngineMaker, name: str, title: str, parts: dict[str, Any], make: Callable[[Path], None]) -> Path:
    """The folder of a stage whose failure is a finding: it is kept like a success, and raised each time."""

    def try_to_make(place: Path) -> None:
        try:
            make(place)
        except _EXPECTED as error:
            (place / _FAILURE).write_text(str(error), encoding="utf-8")

    folder = maker.stage(name, title, parts, try_to_make)
    failure = folder / _FAILURE
    if failure.exists():
        raise CandidateError(failure.read_text(encoding="utf-8"))
    return folder


def _texts(component: Component) -> dict[str, int]:
    """Inputs of the graph that are tokens of texts, and the most that the model takes."""
    steps = [step.options for step in component.pipeline.steps if {"max_length", "outputs"} <= step.options.keys()]
    return {name: int(options["max_length"]) for options in steps for name in options["outputs"]}
