"""Several ONNX files that run one after another on named arrays, declared in a `.toml` file beside them."""

from __future__ import annotations

import graphlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.truth.ground_truth import ArrayNames
from edgewright_compiler.cache import digest_of
from edgewright_compiler.graphs.exported import ports_of, save_model
from edgewright_compiler.sources._source import PlainSource, SourceOptions
from edgewright_compiler.sources.declared_file import COMPONENT_NAME, graph_beside
from edgewright_compiler.sources.onnx_file import OnnxSource
from edgewright_runtime.manifest import PipelineSpec, StepSpec
from edgewright_runtime.package_files import file_digest
from edgewright_runtime.provider_words import provider_words
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError
from edgewright_targets.declared import declared_text, read_declared
from edgewright_targets.errors import nearest
from edgewright_targets.toml_lines import line_of

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

TASK = "arrays"


@dataclass(frozen=True, kw_only=True)
class ChainComponentFile:
    """A graph.

    Attributes:
        file: Its `.onnx` file, in the folder of the declaration or below.
        inputs: Input to what it takes of another graph: `COMPONENT.OUTPUT`, or `COMPONENT` where that has one output.
            All others are arrays that a sample has under their names.
        keep_float: It is not quantized.
    """

    file: str
    inputs: dict[str, str] = field(default_factory=dict)
    keep_float: bool = False


@dataclass(frozen=True, kw_only=True)
class ChainFile:
    """A model; the outputs of the graph that no other one takes from are its answer."""

    task: str
    component: dict[str, ChainComponentFile]


class DeclaredChain(PlainSource):
    """A `.toml` file that declares graphs that feed one another; see `Source`.

    Raises:
        InputError: It is wrong, or does not fit its graphs.
    """

    kind = "declared"
    notes: tuple[str, ...] = ()
    graph_itself = True
    tools: tuple[str, ...] = ("onnx", "onnx-ir")
    task = TASK
    input_name = "*"
    labels: tuple[str, ...] = ()

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self._text = declared_text(path, "declaration")
        self.path, self.name = path, path.stem
        self._file = read_declared(ChainFile, "model", self._text, str(path))
        if options.task not in (None, TASK):
            raise InputError(f"'{path}' declares the task {TASK}, and --task says {options.task}.")
        parts = self._file.component
        if not parts:
            raise self._problem("a declaration needs components.", "component")
        for name in parts:
            if not COMPONENT_NAME.fullmatch(name):
                hint = "Use letters, digits, '-' and '_'."
                raise self._problem(f"'{name}' is not a name for a component.", "component", name, hint=hint)
        self._graphs = {name: OnnxSource(self._graph_path(name), SourceOptions()) for name in parts}
        self._ports = {name: ports_of(graph.graph()) for name, graph in self._graphs.items()}
        self._wired = {name: self._wires(name) for name in parts}
        self._order = self._ordered()
        self.quantized = next((graph.quantized for graph in self._graphs.values() if graph.quantized), "")

    def digest(self) -> str:
        """Digest of the file and its graphs."""
        graphs = {name: graph.digest() for name, graph in self._graphs.items()}
        return digest_of({"file": file_digest(self.path), "graphs": graphs})

    def export(self, folder: Path) -> None:
        """Copy the graphs, their weights apart."""
        steps = tuple(self._step(name) for name in self._order)
        ranks = self._ranks()
        first = (StepSpec("drop_sample_axis", {"ranks": ranks}),) if ranks else ()
        graphs = {name: self._graphs[name].graph() for name in self._order}
        kept = [name for name, part in self._file.component.items() if part.keep_float]
        pipeline = PipelineSpec("*", "*", (*first, *steps))
        save_model(folder, graphs, pipeline, task=TASK, labels=(), float_components=kept)

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What ONNX Runtime answers with the user's own files, one after another."""
        sessions = {name: self._graphs[name].session() for name in self._order}
        fit = make_free_step(StepSpec("drop_sample_axis", {"ranks": self._ranks()}))
        found: list[Arrays] = []
        for sample in samples:
            values = {**sample, **fit(sample)}
            answer: Arrays = {}
            for name in self._order:
                wired, outputs = self._wired[name], self._ports[name].outputs
                feeds = {given: values[wired.get(given, given)] for given in self._ports[name].inputs}
                try:
                    answer = dict(zip(outputs, sessions[name].run(list(outputs), feeds), strict=True))
                except Exception as error:
                    path = self._graphs[name].path
                    raise InputError(
                        f"'{path}' cannot run on what component '{name}' is given: {provider_words(error)}"
                    ) from error
                values |= {f"{name}.{made}": value for made, value in answer.items()}
            found.append(answer)
        return found

    def arrays(self) -> ArrayNames:
        """The inputs that no other graph gives."""
        return ArrayNames(tuple(self._free()))

    def _problem(self, message: str, *keys: str, hint: str = "") -> InputError:
        line = line_of(self._text, keys)
        return InputError(f"{self.path}{'' if line is None else f':{line}'}: {message}", hint=hint)

    def _graph_path(self, name: str) -> Path:
        def wrong(message: str, hint: str) -> InputError:
            return self._problem(message, "component", name, "file", hint=hint)

        return graph_beside(self.path, self._file.component[name].file, wrong)

    def _wires(self, name: str) -> dict[str, str]:
        """Input of a component to `COMPONENT.OUTPUT`, in full."""
        wires = {}
        for given, source in self._file.component[name].inputs.items():
            keys = ("component", name, "inputs", given)
            if given not in self._ports[name].inputs:
                hint = nearest(given, self._ports[name].inputs)
                raise self._problem(f"component '{name}' has no input '{given}'.", *keys, hint=hint)
            component, _, made = source.partition(".")
            if component not in self._graphs:
                hint = nearest(component, self._graphs)
                raise self._problem(f"there is no component '{component}'.", *keys, hint=hint)
            outputs = self._ports[component].outputs
            if not made and len(outputs) == 1:
                made = outputs[0]
            if made not in outputs:
                problem = f"has no output '{made}'" if made else f"has {len(outputs)} outputs"
                hint = nearest(made, outputs) if made else f"Name one of them: {component}.{outputs[0]}"
                raise self._problem(f"component '{component}' {problem}.", *keys, hint=hint)
            wires[given] = f"{component}.{made}"
        return wires

    def _ordered(self) -> tuple[str, ...]:
        """The components, each after those that it takes from; the one that gives the answer last."""
        needed = {name: {source.partition(".")[0] for source in wires.values()} for name, wires in self._wired.items()}
        try:
            order = tuple(graphlib.TopologicalSorter(needed).static_order())
        except graphlib.CycleError as error:
            ring = [str(name) for name in error.args[1]]
            raise self._problem(f"the components form a cycle: {' -> '.join(ring)}.", "component", ring[0]) from error
        ends = sorted(set(needed).difference(*needed.values()))
        if len(ends) > 1:
            raise self._problem(
                f"no other component takes from {' and '.join(ends)}, and only one of them can give the answer.",
                "component",
                ends[0],
                hint="Build models that do not feed one another apart, or declare what the last one takes.",
            )
        return (*(name for name in order if name not in ends), *ends)

    def _step(self, name: str) -> StepSpec:
        wired = {"inputs": self._wired[name]} if self._wired[name] else {}
        # Two graphs may call their outputs the same; those of the last one are the answer.
        last = name == self._order[-1]
        outputs = {} if last else {"outputs": {made: f"{name}.{made}" for made in self._ports[name].outputs}}
        return StepSpec("infer", {"component": name, **wired, **outputs})

    def _free(self) -> list[str]:
        given = (given for name in self._order for given in self._ports[name].inputs if given not in self._wired[name])
        return list(dict.fromkeys(given))

    def _ranks(self) -> dict[str, int]:
        found = {
            given: rank for graph in self._graphs.values() for given, rank in graph.ranks_without_samples().items()
        }
        return {given: rank for given, rank in found.items() if given in self._free()}
