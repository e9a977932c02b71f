"""Processors: the way from a sample to a graph's inputs, taken from the source and declared as steps. One file a kind.

The source's own library makes the feeds that the export is compared on; the steps make them on a device. That both are
the same is checked by every build, on real inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, runtime_checkable

from edgewright_benchmarks.truth.windows import Windows
from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_runtime.manifest import ComparisonSpec, StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays


class Processor(Protocol):
    """From a sample to the graph's inputs."""

    def feeds(self, sample: Any) -> Arrays:
        """What the source's own library makes of a sample, a batch of one."""

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The declared steps that make `inputs` on a device.

        Raises:
            InputError: The graph asks for what this processor does not make, or a step cannot be reproduced.
        """

    def keep(self, folder: Path) -> None:
        """Copy the files that the steps need into the assets of the component in `folder`."""


class ExportingProcessor(Processor, Protocol):
    """One of a checkpoint, which says what its graph is exported with."""

    def example(self) -> dict[str, object]:
        """Torch tensors by input name for the exporter, two samples in a batch."""

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: what may have another size than in the example."""


@runtime_checkable
class AnsweringProcessor(Protocol):
    """A processor that also says what becomes of the outputs, where not all models of a task give them alike."""

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """From the names of the graph's outputs, the steps to what a person wants."""


@runtime_checkable
class WindowedProcessor(Protocol):
    """A processor of series.

    Attributes:
        windows: What the model is given, and what it is to say.
    """

    windows: Windows


@runtime_checkable
class LoopingProcessor(Protocol):
    """A processor whose steps run the graph themselves, over and over with a state."""

    def looped(self, sample: Any, infer: Callable[[Arrays], Arrays]) -> Arrays:
        """What the source makes of a sample: `infer` is its graph, given and giving arrays by name."""


@runtime_checkable
class ComparingProcessor(Protocol):
    """A processor whose steps give fewer outputs than the graph does."""

    def compared(self, feeds: Arrays, outputs: Arrays) -> Arrays:
        """Of the outputs for these feeds, what the steps leave of them."""


@runtime_checkable
class GraphProcessor(Protocol):
    """A processor beside an ONNX file that looks at its graph."""

    def take_graph(self, model: onnx_ir.Model, *, whole: bool = False) -> None:
        """Look at the graph, before anything else is asked.

        Args:
            model: The graph.
            whole: Whether what it is compared with takes samples whole that this graph takes piece by piece.

        Raises:
            InputError: It is not one of the task.
        """

    def comparison(self) -> ComparisonSpec:
        """How engines are compared."""


@runtime_checkable
class NamingProcessor(Protocol):
    """A processor beside an ONNX file whose feeds depend on the names of the classes."""

    def take_labels(self, labels: Sequence[str]) -> None:
        """Take the names, before anything else is asked."""


@runtime_checkable
class CheckingProcessor(Protocol):
    """A processor that can tell of every sample whether the model takes it, without work worth naming."""

    def check_sample(self, sample: Any) -> None:
        """Raise where a sample is not what the model takes."""


@runtime_checkable
class TokenizingProcessor(Protocol):
    """A processor that makes tokens, of which a model knows so many."""

    def check_size(self, known: int) -> None:
        """Refuse to make tokens that a model of `known` tokens does not know."""


@runtime_checkable
class PaddedProcessor(Protocol):
    """A processor of texts, which engines may take with padding."""

    def settle_padding(self, infer: Callable[[Arrays], Arrays]) -> None:
        """Find out where an engine may pad texts without another answer: `infer` is the graph, by name."""

    def fix_length(self, length: int) -> None:
        """Make `length` tokens of every text: its graph takes no other number."""


@runtime_checkable
class ChoosingProcessor(Protocol):
    """A processor beside an ONNX file that can make more inputs than its graph has."""

    def take_inputs(self, inputs: Sequence[str]) -> None:
        """Take the names of the inputs that the graph has, before anything else is asked."""


@runtime_checkable
class PacedProcessor(Protocol):
    """A processor of recordings whose graph gives scores in steps of time."""

    def settle_pace(self, infer: Callable[[Arrays], Arrays]) -> None:
        """Find out how many samples a step is, where no configuration says it: `infer` is the graph, by name."""


@dataclass(frozen=True, kw_only=True)
class ProcessorKind:
    """How a kind of processor is found.

    Attributes:
        input_name: What a person gives, as `PipelineSpec.input` says it.
        tools: Distributions whose version can change what it makes.
        check: Raises where a checkpoint folder lacks its files; takes no time and imports no framework.
        from_checkpoint: The processor of a checkpoint folder.
        beside: The processor whose files lie beside the `.onnx` file at a path, for a task of that name.
        files: Those files as patterns, as far as they are there; they decide an export as much as the graph.
        from_settings: The processor of a torch module: from the settings that its function returns beside it (None
            where it returns none), its example inputs, and what messages call it. None where a module is not taken.
        examples: Samples to measure on without data; empty if samples cannot be made up.
        windows: Of models that take a series, how the data of a checkpoint is cut.
    """

    input_name: str
    tools: tuple[str, ...]
    check: Callable[[Path], None]
    from_checkpoint: Callable[[Checkpoint], ExportingProcessor]
    beside: Callable[[Path, str], Processor]
    files: tuple[str, ...]
    from_settings: Callable[[Mapping[str, object] | None, Mapping[str, object], str], Processor] | None = None
    examples: tuple[Any, ...] = ()
    windows: Callable[[Checkpoint], Windows] | None = None


def batch_axes(feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
    """`ExportingProcessor.axes` where only the number of samples may be another one."""
    import torch

    return {name: {0: torch.export.Dim("batch")} for name in feeds}


def needs_checkpoint(path: Path, task: str) -> NoReturn:
    """`ProcessorKind.beside` of a kind whose files cannot be read beside an ONNX file.

    Raises:
        InputError: Always.
    """
    raise InputError(f"'{path}': the task {task} needs a checkpoint folder; an ONNX file cannot be built for it yet.")
