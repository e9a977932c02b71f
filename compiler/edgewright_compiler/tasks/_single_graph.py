"""A checkpoint as one graph, exported with transformers' own exporter: the way of most tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.checkpoints.heads import head_of
from edgewright_compiler.graphs.exported import ports_of, save_model
from edgewright_compiler.graphs.inference import Inference
from edgewright_compiler.processors import ComparingProcessor, LoopingProcessor, PaddedProcessor, TokenizingProcessor
from edgewright_compiler.tasks._exported import exported
from edgewright_runtime.manifest import COMPONENT
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_compiler.tasks._task import Task
    from edgewright_runtime.wire import Arrays


# A number that no token has.
_NO_TOKEN = -1


class SingleGraph:
    """A model of one graph with its processor; see `Exporter`.

    Raises:
        InputError: The checkpoint cannot be loaded, or has another number of labels than its model.
    """

    def __init__(self, task: Task, checkpoint: Checkpoint) -> None:
        self._task = task
        self._checkpoint = checkpoint
        if task.processor is None:
            raise InputError(f"'{checkpoint.folder}': the task '{task.name}' cannot be built from a checkpoint.")
        self._processor = task.processor.from_checkpoint(checkpoint)
        self._model = checkpoint.load_model(task.model, task.needless)
        if isinstance(self._processor, TokenizingProcessor):
            self._processor.check_size(int(self._model.get_input_embeddings().weight.shape[0]))
            _end_at_last_token(self._model.config.get_text_config())
        if isinstance(self._processor, PaddedProcessor):
            self._processor.settle_padding(self._infer)
        labels = checkpoint.labels
        self._head = head_of(checkpoint.config, names=len(labels))
        # One score may stand for two classes.
        two_of_one = task.two_of_one and self._head.is_binary and len(labels) == 2
        if task.labelled and task.own_labels and len(labels) != self._model.config.num_labels and not two_of_one:
            raise InputError(
                f"'{checkpoint.folder}': there are {len(labels)} labels, but the model has "
                f"{self._model.config.num_labels}."
            )

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""
        from edgewright_compiler.graphs.passes.contract import edit
        from edgewright_compiler.graphs.passes.interface import KeepOutputs

        feeds = self._processor.example()
        title = f"'{self._checkpoint.folder}'"
        graph = exported(self._model, feeds, title, dynamic_shapes=self._processor.axes(feeds))
        edit(graph, KeepOutputs(self._task.outputs))
        inputs, outputs = ports_of(graph).inputs, ports_of(graph).outputs
        if len(outputs) != len(self._task.outputs):
            raise InputError(
                f"'{self._checkpoint.folder}' exports to a graph with the outputs {', '.join(outputs)}; the task "
                f"'{self._task.name}' needs {', '.join(self._task.outputs)}."
            )
        self._processor.keep(folder)
        pipeline = self._task.pipeline(self._processor, inputs, outputs, self._head)
        save_model(folder, {COMPONENT: graph}, pipeline, task=self._task.name, labels=self._checkpoint.labels)

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """The source's own outputs for each sample, by output name."""
        looping: object = self._processor
        if isinstance(looping, LoopingProcessor):
            return [looping.looped(sample, self._infer) for sample in samples]
        comparing: object = self._processor
        fed = [self._processor.feeds(sample) for sample in samples]
        if isinstance(comparing, ComparingProcessor):
            return [comparing.compared(feeds, self._infer(feeds)) for feeds in fed]
        return [self._infer(feeds) for feeds in fed]

    def _infer(self, feeds: Arrays) -> Arrays:
        import torch

        with torch.no_grad():
            answer = self._model(**{name: torch.from_numpy(value) for name, value in feeds.items()})
        return {name: getattr(answer, name).numpy() for name in self._task.outputs}

    def inference(self) -> Inference | None:
        """The model as a function of the feeds of its graph; None where that runs in a loop."""
        looping: object = self._processor
        if isinstance(looping, LoopingProcessor):
            return None
        axes = self._processor.axes(self._processor.example())
        return Inference(self._infer, {name: tuple(found) for name, found in axes.items()})


def _end_at_last_token(config: Any) -> None:
    """Let models that judge a text by its last token do so in a batch, also where they know no token for padding.

    Without one they take the last token of one text and refuse a batch; with one that no text has it is the same token.
    """
    if config.pad_token_id is None:
        config.pad_token_id = _NO_TOKEN
