"""Sources: what the user has. One file a kind, and this one list, tried in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_benchmarks.truth.ground_truth import ArrayNames
    from edgewright_runtime.wire import Arrays
    from edgewright_targets.findings import Findings


@dataclass(frozen=True)
class SourceOptions:
    """What the user says about a source beyond its name.

    Attributes:
        task: Overrides the task found in the source.
        labels: Class names by index, for a source that has none.
    """

    task: str | None = None
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Inference:
    """A source as a function of what its one graph is given.

    Attributes:
        run: From inputs of the graph by name to its outputs in their order; raises whatever the source raises.
        free: Input to the axes that the exporter was to keep free.
    """

    run: Callable[[Arrays], Arrays]
    free: Mapping[str, tuple[int, ...]]


class Source(Protocol):
    """A model that can be exported.

    Attributes:
        kind: Kind of source.
        name: For people; no folder in it.
        task: Name of its task.
        tools: Distributions whose version can change the export.
        input_name: What it takes, as `PipelineSpec.input` says it.
        labels: Class names by index; empty where there are none.
        quantized: What shows that it is quantized already; empty where it is float.
        graph_itself: It is a graph, and no program that a graph is exported from.
    """

    kind: str
    name: str
    task: str
    tools: tuple[str, ...]
    input_name: str
    labels: tuple[str, ...]
    quantized: str
    graph_itself: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What is taken otherwise than it is written, as sentences."""

    def digest(self) -> str:
        """Digest of everything the export depends on: files and options."""

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `component.py`)."""

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the source itself answers: the graph's outputs for each sample, by output name."""

    def arrays(self) -> ArrayNames | None:
        """The inputs of a source that takes named arrays; None of another."""

    def inference(self) -> Inference | None:
        """What answers feeds of the graph; None where it has several, runs in a loop, or is the source itself."""

    def changed_by(self, sample: Any) -> tuple[str, ...]:
        """Names of its state that a call changes."""

    def told_apart(self, sample: Any, outputs: Arrays) -> str:
        """Why it answers a sample otherwise than its graph, as a sentence; empty where nobody knows."""

    def example(self) -> list[Any]:
        """Samples that come with the source, for want of data; often none."""


def is_code(spec: str) -> bool:
    """Whether `spec` names a function of Python: opening that source imports the user's code, and torch."""
    path = Path(spec)
    module, _, function = spec.partition(":")
    return bool(function) and "/" not in module and not path.exists() and path.suffix not in (".toml", ".onnx")


def open_source(spec: str, options: SourceOptions, findings: Findings | None = None) -> Source:
    """The source that `spec` names.

    It is a checkpoint folder, with weights or with one graph that was exported, an `.onnx` file, a `.toml` file that
    declares a model of several graphs, or `package.module:function`.

    Args:
        spec: What the user named.
        options: What the user says about it.
        findings: Gets what is wrong but does not keep data from being read for the source, which must not be exported
            then. Without it such errors are raised as well.

    Raises:
        InputError: Nothing of that name, or not a source.
    """
    from edgewright_compiler.checkpoints.checkpoint import read_config
    from edgewright_compiler.sources.declared import DeclaredSource
    from edgewright_compiler.sources.huggingface import HuggingFaceSource, inferred_task
    from edgewright_compiler.sources.onnx_file import OnnxSource
    from edgewright_compiler.sources.other_forms import exported_graph
    from edgewright_compiler.sources.torch_module import TorchSource
    from edgewright_compiler.tasks import find_task

    if options.task is not None:
        find_task(options.task)
    path = Path(spec)
    if path.is_dir() and (graph := exported_graph(path)):
        task = options.task or inferred_task(read_config(path), path).name
        return OnnxSource(graph, dataclasses.replace(options, task=task), path.resolve().name)
    if path.is_dir():
        return HuggingFaceSource(path, options, findings)
    if path.suffix == ".toml":
        return DeclaredSource(path, options)
    if path.suffix == ".onnx" or path.is_file():
        return OnnxSource(path, options)
    if is_code(spec):
        module, _, function = spec.partition(":")
        return TorchSource(module, function, options)
    raise InputError(
        f"There is no source '{spec}'.",
        hint="A source is a Hugging Face checkpoint folder, an .onnx file, a .toml file that declares a model of "
        "several graphs, or package.module:function.",
    )
