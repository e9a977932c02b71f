"""What every source is: the contract that the files of this folder keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from edgewright_benchmarks.truth.ground_truth import ArrayNames
    from edgewright_benchmarks.truth.windows import Windows
    from edgewright_compiler.graphs.inference import Inference
    from edgewright_runtime.wire import Arrays

# What a source can be, for messages.
KINDS = (
    "a Hugging Face checkpoint folder or its id on the hub, an .onnx file, a .toml file that declares a model of "
    "several graphs, package.module:function, or timm:NAME and torchvision:NAME"
)


@dataclass(frozen=True)
class SourceOptions:
    """What the user says about a source beyond its name.

    Attributes:
        task: Overrides the task found in the source.
        labels: Class names by index, for a source that has none.
        fetch: Whether it may be fetched from the Hugging Face hub.
    """

    task: str | None = None
    labels: tuple[str, ...] | None = None
    fetch: bool = False


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
    def windows(self) -> Windows | None:
        """How its data is cut, where it takes a series."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is taken otherwise than it is written, as sentences."""

    def digest(self) -> str:
        """Digest of everything the export depends on: files and options."""

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""

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


class PlainSource:
    """What is the same of sources that keep no state, come without data, and of whose answers nothing more is known."""

    @property
    def windows(self) -> Windows | None:
        """None: it does not take a series."""
        return None

    def inference(self) -> Inference | None:
        """None: it is not an export."""
        return None

    def changed_by(self, sample: Any) -> tuple[str, ...]:
        """Nothing: neither a session nor a model of transformers keeps a state."""
        del sample
        return ()

    def told_apart(self, sample: Any, outputs: Arrays) -> str:
        """Nothing that is known."""
        del sample, outputs
        return ""

    def example(self) -> list[Any]:
        """None: it comes without data."""
        return []


@runtime_checkable
class CheckingSource(Protocol):
    """A source that can tell of samples whether it takes them, without work worth naming."""

    def check_samples(self, samples: Sequence[Any], data: str) -> None:
        """Raise where it does not take a sample of the data of that name.

        Raises:
            InputError: It does not.
        """
