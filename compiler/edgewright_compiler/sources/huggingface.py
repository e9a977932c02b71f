"""Hugging Face checkpoint folders: which task they are of, and what their export depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.cache import digest_of
from edgewright_compiler.checkpoints.checkpoint import Checkpoint, config_labels, read_config
from edgewright_compiler.checkpoints.heads import head_of
from edgewright_compiler.graphs.exported import read_exported, write_exported
from edgewright_compiler.graphs.inference import Inference
from edgewright_compiler.processors.sentence_modules import has_pooling, module_files
from edgewright_compiler.sources._source import PlainSource, SourceOptions
from edgewright_compiler.sources.exported_folder import exported_parts
from edgewright_compiler.sources.other_forms import refuse_folder, refuse_weights
from edgewright_compiler.tasks import TASKS, Task, find_task, narrowed, task_of_architectures
from edgewright_compiler.tasks._single_graph import SingleGraph
from edgewright_runtime.package_files import file_digest
from edgewright_targets import InputError
from edgewright_targets.findings import Findings

if TYPE_CHECKING:
    from edgewright_benchmarks.truth.windows import Windows
    from edgewright_compiler.tasks._task import Exporter
    from edgewright_runtime.wire import Arrays


class HuggingFaceSource(PlainSource):
    """A folder with `config.json`, weights and the files of its processor.

    Args:
        folder: The folder.
        options: What the user says about it.
        findings: See `open_source`.
        name: What it is called; by default as the folder.

    Raises:
        InputError: The folder is not a checkpoint, or of a task or form that is not supported.
    """

    kind = "huggingface"
    graph_itself = False
    quantized = ""
    notes: tuple[str, ...] = ()

    def __init__(self, folder: Path, options: SourceOptions, findings: Findings | None = None, name: str = "") -> None:
        found = Findings() if findings is None else findings
        self.folder = folder
        self.name = name or folder.resolve().name
        refuse_folder(folder)
        config = read_config(folder)
        graphs = exported_parts(folder)
        with found.noted():
            if not graphs:
                refuse_weights(folder, config)
        task = find_task(options.task) if options.task else inferred_task(config, folder)
        head = head_of(config, names=len(options.labels or ()))
        task = narrowed(task, head).of_config(config)
        if task.processor is None:
            raise InputError(f"'{folder}': a checkpoint folder cannot be built for the task '{task.name}'.")
        with found.noted():
            task.check_config(config, folder, head)
        with found.noted():
            task.processor.check(folder)
        self.task = task.name
        self.tools = ("torch", "transformers", "onnx", "onnx-ir", "onnxscript", *task.processor.tools)
        self.labels: tuple[str, ...] = ()
        if task.labelled:
            self.labels = options.labels or _labels(task, config, folder)
        self.input_name = task.input_name
        self._task = task
        if graphs and tuple(graphs) not in task.of_graphs:
            takers = ", ".join(one.name for one in TASKS if tuple(graphs) in one.of_graphs)
            raise InputError(
                f"'{folder}': the graphs {', '.join(graphs)} are built for {takers}, and this is {task.name}.",
                hint="Build the checkpoint that they were exported from: its folder, or its id with --fetch.",
            )
        self._checkpoint = Checkpoint(folder, config, self.labels, graphs=graphs)
        self._opened: Exporter | None = None
        if findings is None:
            found.raise_any()

    def digest(self) -> str:
        """Digest of the files at the top of the folder, of the configurations below it, and of the options."""
        found = {*self.folder.iterdir(), *self.folder.glob("*/config.json"), *module_files(self.folder)}
        found |= {beside for path in self._checkpoint.graphs.values() for beside in path.parent.iterdir()}
        files = {str(path.relative_to(self.folder)): file_digest(path) for path in sorted(found) if path.is_file()}
        return digest_of({"files": files, "task": self.task, "labels": self.labels})

    def export(self, folder: Path) -> None:
        """Export as the task says."""
        self._open().export(folder)
        if self._checkpoint.notes:
            write_exported(folder, replace(read_exported(folder), notes=tuple(self._checkpoint.notes)))

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the torch model answers, with the source's own processor."""
        return self._open().reference(samples)

    def arrays(self) -> None:
        """None: it does not take named arrays."""

    @property
    def windows(self) -> Windows | None:
        """How data of the checkpoint is cut, where it takes a series."""
        kind = self._task.processor
        return kind.windows(self._checkpoint) if kind is not None and kind.windows is not None else None

    def inference(self) -> Inference | None:
        """The torch model, where it is one graph."""
        opened = self._open()
        return opened.inference() if isinstance(opened, SingleGraph) else None

    def _open(self) -> Exporter:
        if self._opened is None:
            self._opened = (self._task.open or SingleGraph)(self._task, self._checkpoint)
        return self._opened


def _labels(task: Task, config: dict[str, object], folder: Path) -> tuple[str, ...]:
    if task.class_names:
        return task.class_names
    if task.own_labels:
        return config_labels(config, folder)
    raise InputError(
        f"'{folder}': models for {task.name} have no labels of their own.",
        hint="Pass the texts to choose from with --labels FILE, one per line. A call can name others.",
    )


def inferred_task(config: Mapping[str, object], folder: Path) -> Task:
    """The task of a checkpoint by its configuration and the files beside it.

    Raises:
        InputError: They tell none.
    """
    task = known_task(config, folder)
    if task is None:
        names = _architectures(config)
        heads = ", ".join(head for task in TASKS for head in task.heads)
        raise InputError(
            f"'{folder}': no task can be inferred from its architecture ({', '.join(names) or 'none named'}).",
            hint=f"Supported heads: {heads}. If the model has one of these heads, pass --task.",
        )
    return task


def known_task(config: Mapping[str, object], folder: Path) -> Task | None:
    """The task of a model by its configuration and the files beside it; None where they tell none."""
    # What makes vectors of texts was often trained from a model for another task, and still is called so.
    return find_task("feature-extraction") if has_pooling(folder) else task_of_architectures(_architectures(config))


def _architectures(config: Mapping[str, object]) -> list[str]:
    names = config.get("architectures")
    return [str(name) for name in names] if isinstance(names, list) else []
