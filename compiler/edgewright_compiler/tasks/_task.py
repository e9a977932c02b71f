"""What the compiler knows of a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.checkpoints.heads import Head
from edgewright_compiler.processors import (
    AnsweringProcessor,
    GraphProcessor,
    LoopingProcessor,
    Processor,
    ProcessorKind,
)
from edgewright_runtime.manifest import COMPONENT, ComparisonSpec, PipelineSpec, StepSpec

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


_NO_HEAD = Head()


class Exporter(Protocol):
    """A checkpoint opened for a task."""

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the source itself answers: the graph's outputs for each sample, by output name."""


def _never(head: Head) -> bool:
    del head
    return False


def _no_steps(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
    del outputs
    return ()


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task as the compiler sees it.

    Attributes:
        name: As transformers' pipelines spell it, or `arrays`.
        heads: How the names of its architectures end in `config.json`; none where it has no checkpoints.
        model: The class of transformers that loads it.
        needless: Patterns of names of weights that its outputs do not depend on, and that a checkpoint may lack.
        outputs: Fields of that class's answer that become the outputs of the graph, in their order.
        processor: The way from a sample to the graph's inputs; None for named arrays.
        kind_of: That of a checkpoint, where it depends on the configuration.
        answer: From the names of the graph's outputs, the steps to what a person wants; of a processor that says it
            itself (`AnsweringProcessor`) those count.
        answer_of: `answer`, where it depends on the head of a model.
        output_name: The value that a person gets, as `PipelineSpec.output` says it.
        labelled: Whether it has class names.
        class_names: What its classes are called, whatever a checkpoint says; none where the checkpoint says it.
        comparison: From all steps, how engines are compared; None, also of what it gives, is by these steps.
        own_labels: Whether a checkpoint's configuration has them; else they must be asked for.
        default_labels: Class names of a source that has none and is given none.
        two_of_one: Whether one score may stand for two classes.
        narrows: The task of a checkpoint's architecture, where this is one of its kinds and has no architectures of its
            own; what is not of this kind stays with that task.
        fits: Whether a head is of this kind.
        check: Raises where the configuration asks for what is not supported; takes it and the folder.
        open: How a checkpoint of it is exported; None exports one graph.
        of_graphs: Sets of files, by their names without the ending, whose graphs `open` takes in the place of weights.
        declared: Whether a file that declares a model of several graphs can be of it.
    """

    name: str
    heads: tuple[str, ...] = ()
    model: str = ""
    needless: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    processor: ProcessorKind | None = None
    kind_of: Callable[[Mapping[str, object]], ProcessorKind] | None = None
    answer: Callable[[Sequence[str]], tuple[StepSpec, ...]] = _no_steps
    answer_of: Callable[[Head], Callable[[Sequence[str]], tuple[StepSpec, ...]]] | None = None
    output_name: str = "*"
    labelled: bool = False
    class_names: tuple[str, ...] = ()
    comparison: Callable[[Sequence[StepSpec]], ComparisonSpec | None] | None = None
    own_labels: bool = True
    default_labels: tuple[str, ...] = ()
    two_of_one: bool = False
    narrows: str = ""
    fits: Callable[[Head], bool] = _never
    check: Callable[[dict[str, Any], Path], None] | None = None
    open: Callable[[Task, Checkpoint], Exporter] | None = None
    of_graphs: tuple[tuple[str, ...], ...] = ()
    declared: bool = False

    def of_config(self, config: Mapping[str, object]) -> Task:
        """The task as a checkpoint of this configuration has it."""
        return self if self.kind_of is None else replace(self, processor=self.kind_of(config))

    def check_config(self, config: dict[str, object], folder: Path, head: Head) -> None:
        """Refuse what a configuration asks for and is not supported.

        Args:
            config: What config.json says.
            folder: Where it lies.
            head: What is known of the head, with how many names the user gave.

        Raises:
            InputError: It asks for such.
        """
        if self.check is not None and not (self.two_of_one and head.is_binary):
            self.check(config, folder)

    @property
    def needs_checkpoint(self) -> bool:
        """Whether what becomes of its graphs is known of a checkpoint alone, unless a processor says it."""
        return self.open is not None and self.answer is _no_steps

    @property
    def input_name(self) -> str:
        """What a person gives, as `PipelineSpec.input` says it."""
        return self.processor.input_name if self.processor else "*"

    def input_of(self, processor: object) -> str:
        """What a person gives to a model with this processor, where not all models of the task take the same."""
        found: str = getattr(processor, "input_name", self.input_name)
        return found

    def pipeline(
        self, processor: Processor | None, inputs: Sequence[str], outputs: Sequence[str], head: Head = _NO_HEAD
    ) -> PipelineSpec:
        """The whole way of a sample through one graph with these inputs and outputs."""
        before = processor.steps(inputs) if processor else ()
        once = not isinstance(processor, LoopingProcessor)
        infer = (StepSpec("infer", {"component": COMPONENT}),) if once else ()
        answers: object = processor
        answer = self.answer_of(head) if self.answer_of else self.answer
        after = answers.answer(outputs) if isinstance(answers, AnsweringProcessor) else answer(outputs)
        steps = (*before, *infer, *after)
        comparison = self.comparison(steps) if self.comparison else None
        if isinstance(answers, GraphProcessor):
            comparison = answers.comparison()
        return PipelineSpec(self.input_of(processor), self.output_name, steps, comparison)
