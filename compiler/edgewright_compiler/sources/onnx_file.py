"""ONNX files, with or without external data."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_benchmarks.truth.ground_truth import ArrayNames
from edgewright_compiler.cache import digest_of
from edgewright_compiler.checkpoints.checkpoint import checkpoint_beside, config_labels, folder_beside
from edgewright_compiler.checkpoints.exported_names import SWITCH
from edgewright_compiler.checkpoints.heads import Head
from edgewright_compiler.graphs.exported import ports_of, save_model
from edgewright_compiler.graphs.quantized_already import quantized_already
from edgewright_compiler.processors import (
    AnsweringProcessor,
    CheckingProcessor,
    ChoosingProcessor,
    ComparingProcessor,
    GraphProcessor,
    LoopingProcessor,
    NamingProcessor,
    PacedProcessor,
    PaddedProcessor,
    WindowedProcessor,
)
from edgewright_compiler.sources._source import PlainSource, SourceOptions
from edgewright_compiler.sources.default_inputs import step_options
from edgewright_compiler.sources.labels_file import labels_beside
from edgewright_compiler.sources.onnx_door import OpenedGraph, open_door
from edgewright_compiler.sources.onnx_head import head_of_graph, scores_of, text_length
from edgewright_compiler.sources.other_forms import refuse_file
from edgewright_compiler.tasks import find_task, narrowed
from edgewright_runtime.errors import SampleError
from edgewright_runtime.manifest import COMPONENT, StepSpec
from edgewright_runtime.package_files import file_digest
from edgewright_runtime.provider_words import provider_words
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_benchmarks.truth.windows import Windows
    from edgewright_runtime.wire import Arrays


class OnnxSource(PlainSource):
    """An `.onnx` file. Without `--task` its inputs and outputs are named arrays.

    Args:
        path: The file.
        options: What the user says about it.
        name: What its package is called; by default as the file.
        notes: What else is said about it.

    Raises:
        InputError: No such file, not ONNX, cut off, or its external data is missing or outside its folder.
    """

    kind = "onnx"
    graph_itself = True

    def __init__(self, path: Path, options: SourceOptions, name: str = "", *, notes: Sequence[str] = ()) -> None:
        if not path.is_file():
            raise InputError(f"There is no ONNX file '{path}'.")
        refuse_file(path)
        self.path = path
        self.name = name or path.stem
        self._more_notes = tuple(notes)
        self._task = find_task(options.task or "arrays")
        kind = self._task.processor
        self._take_processor()
        self._door: OpenedGraph | None = None
        self._head = Head()
        # Some files say what their classes are called.
        own: tuple[str, ...] = getattr(self._processor, "labels", ())
        self.labels = options.labels or own
        if self._task.labelled or self._task.answer_of is not None:
            self._read_config(len(options.labels or ()))
        if self._task.processor is not kind:
            self._take_processor()
        self.task = self._task.name
        self.input_name = self._task.input_of(self._processor)
        self.quantized = quantized_already(self._load())
        naming: object = self._processor
        if isinstance(naming, ChoosingProcessor):
            naming.take_inputs(ports_of(self._load()).inputs)
        if isinstance(naming, NamingProcessor):
            naming.take_labels(self.labels)
        if isinstance(naming, GraphProcessor):
            naming.take_graph(self._load(), whole=self._opened.whole is not None)
        length = text_length(self._load())
        if length and (texts := self._of_texts()):
            texts.fix_length(length)

    def _take_processor(self) -> None:
        kind = self._task.processor
        self._processor = kind.beside(self.path, self._task.name) if kind else None
        answers: object = self._processor
        if self._task.needs_checkpoint and not isinstance(answers, AnsweringProcessor):
            raise InputError(
                f"'{self.path}': the task {self._task.name} needs a checkpoint folder; an ONNX file cannot be built "
                "for it yet."
            )
        found = {file for pattern in (kind.files if kind else ()) for file in folder_beside(self.path).glob(pattern)}
        self._processor_files = sorted(file for file in found if file.is_file())
        self.tools = ("onnx", "onnx-ir", *(kind.tools if kind else ()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What became of outputs that are not tensors, and of inputs that have their channels last."""
        turned = (
            f"{self.path.name}: its input '{name}' has the channels last; the package's takes them first, as other "
            "graphs do"
            for name in self._opened.turned
        )
        maps = (f"{self.path.name}: {one.note}" for one in self._opened.maps.values())
        return (*maps, *turned, *self._more_notes)

    def digest(self) -> str:
        """Digest of the file, its external data, the files of its processor and the options."""
        self._load()
        digests = {
            "file": {path.name: file_digest(path) for path in {self.path, self._opened.whole or self.path}},
            # Whole names: files of one name lie in several folders.
            "weights": {location: file_digest(path) for location, path in self._opened.weights.items()},
            "processor": {path.name: file_digest(path) for path in self._processor_files},
        }
        return digest_of({**digests, "task": self.task, "labels": self.labels})

    def export(self, folder: Path) -> None:
        """Copy the graph, its weights apart."""
        from edgewright_compiler.graphs.passes.contract import edit
        from edgewright_compiler.graphs.passes.interface import MakeInputs

        model = self._load()
        ranks = self.ranks_without_samples()
        edit(model, MakeInputs(self._opened.defaults))
        ports = ports_of(model)
        if texts := self._of_texts():
            # A graph that does not run so is looked at again with the data, and refused then.
            with contextlib.suppress(InputError):
                texts.settle_padding(self._infer)
        paced: object = self._processor
        if isinstance(paced, PacedProcessor):
            with contextlib.suppress(InputError):
                paced.settle_pace(self._infer)
        pipeline = self._task.pipeline(self._processor, ports.inputs, ports.outputs, self._head)
        first = (StepSpec("drop_sample_axis", {"ranks": ranks}),) if ranks else ()
        if self._opened.defaults:
            first = (*first, StepSpec("default_arrays", step_options(self._opened.defaults)))
        pipeline = dataclasses.replace(pipeline, steps=(*first, *pipeline.steps))
        if self._processor is not None:
            self._processor.keep(folder)
        save_model(folder, {COMPONENT: model}, pipeline, task=self.task, labels=self.labels)
        self._door = dataclasses.replace(self._opened, model=None)

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What ONNX Runtime answers with the user's own file and all graph optimisations off."""
        import onnx_ir

        model = self._load()
        if not self._opened.freed:
            return self._reference(self._opened.whole or self.path, samples)
        with tempfile.TemporaryDirectory() as scratch:
            # The file's own sizes are wrong for these samples.
            path = Path(scratch) / "freed.onnx"
            onnx_ir.save(model, path, external_data="freed.bin")
            return self._reference(path, samples)

    def graph(self) -> onnx_ir.Model:
        """The graph; its weights stay on disk until they are asked for."""
        return self._load()

    def session(self, path: Path | None = None) -> Any:
        """A session of ONNX Runtime with all graph optimisations off, of the file or of a copy of it at `path`."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        # What goes wrong is raised; it is not printed as well.
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(str(path or self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InputError(f"ONNX Runtime cannot load '{self.path}': {provider_words(error)}") from error

    def _read_config(self, names: int) -> None:
        """Take what a config.json beside the file says of classes: what they are called and what their scores mean.

        Raises:
            InputError: It asks for what is not supported, there are no labels, or there is another number of scores.
        """
        beside = checkpoint_beside(self.path)
        self._head = head_of_graph(self._load(), beside.config, names=names)
        self._task = narrowed(self._task, self._head)
        scores = scores_of(self._load()) if len(self._task.outputs) == 1 else None
        config = beside.config
        if scores is not None and self._task.answer_of is not None:
            config = {**config, "id2label": None, "num_labels": scores}
        if config:
            self._task.check_config(config, beside.folder, self._head)
        if not self._task.labelled:
            return
        if not self.labels and self._task.own_labels and beside.config.get("id2label"):
            self.labels = config_labels(beside.config, beside.folder)
        self.labels = self.labels or labels_beside(beside.folder) or self._task.default_labels
        if not self.labels:
            raise InputError(
                f"'{self.path}': the task {self._task.name} needs labels, and neither a config.json nor a "
                "labels.txt beside the file names them.",
                hint="Pass --labels FILE.",
            )
        if not self._task.own_labels:
            return
        if scores not in (None, len(self.labels)) and not (self._task.two_of_one and self._head.is_binary):
            raise InputError(
                f"'{self.path}': the model gives {scores} scores, but there are {len(self.labels)} labels."
            )

    def _reference(self, path: Path, samples: Sequence[Any]) -> list[Arrays]:
        session = self.session(path)
        wanted = [entry.name for entry in session.get_inputs()]
        optional = [entry.name for entry in session.get_overridable_initializers()]
        fit = make_free_step(StepSpec("drop_sample_axis", {"ranks": self.ranks_without_samples()}))
        found: list[Arrays] = []
        for sample in samples:
            looping: object = self._processor
            if isinstance(looping, LoopingProcessor):
                found.append(looping.looped(sample, lambda feeds: self._run(session, self._taken(session, feeds))))
                continue
            made = {**sample, **fit(sample)} if self._processor is None else self._processor.feeds(sample)
            if self._opened.given or self._of_texts():
                outputs = self._run(session, self._as_given(made))
                found.append(looping.compared(made, outputs) if isinstance(looping, ComparingProcessor) else outputs)
                continue
            if len(made) == len(wanted) == 1:
                # Then its name is the file's own; several are told apart by the names that transformers gives them.
                made = dict(zip(wanted, made.values(), strict=True))
            if path == self.path:
                made |= {name: made[name].transpose(0, 2, 3, 1) for name in self._opened.turned if name in made}
            given = [*wanted, *(name for name in optional if name in made)]
            found.append(self._run(session, {name: made[name] for name in given}))
        return found

    def _of_texts(self) -> PaddedProcessor | None:
        processor: object = self._processor
        return processor if isinstance(processor, PaddedProcessor) else None

    def _infer(self, feeds: Arrays) -> Arrays:
        return self._run(self.session(), self._as_given(feeds))

    def _taken(self, session: Any, feeds: Arrays) -> Arrays:
        """Of what a loop gives its graph, what a file takes; of two graphs in one it runs the one for whole texts."""
        made = self._as_given(feeds) if self._opened.given else feeds
        asked = {entry.name: len(entry.shape) for entry in session.get_inputs()}
        if SWITCH in asked:
            made = {**made, SWITCH: np.zeros([1] * asked[SWITCH], bool)}
        return {name: value for name, value in made.items() if name in asked}

    def _as_given(self, feeds: Arrays) -> Arrays:
        """What the file itself takes of a text or a recording.

        Raises:
            InputError: It takes more than can be made of one.
        """
        if self._opened.given:
            return {one.name: one.of(feeds) for one in self._opened.given}
        wanted = ports_of(self._load()).inputs
        if unknown := sorted(set(wanted) - set(feeds)):
            raise InputError(f"'{self.path}': the inputs {', '.join(unknown)} cannot be made from a text.")
        return {name: feeds[name] for name in wanted}

    def _run(self, session: Any, feeds: Arrays) -> Arrays:
        # Of those that the file has, what the package's graph has: in its order.
        names = list(ports_of(self._load()).outputs)
        try:
            values = session.run(names, feeds)
        except Exception as error:
            raise InputError(f"'{self.path}' cannot run on the data: {provider_words(error)}") from error
        found = zip(names, values, strict=True)
        # The file as it is makes a map of each row where its graph was cut.
        return {
            name: self._opened.maps[name].array(value) if name in self._opened.maps else value for name, value in found
        }

    def ranks_without_samples(self) -> dict[str, int]:
        """Inputs of named arrays that have no axis for samples, which is the first and of any size, and their ranks."""
        if self._processor is not None:
            return {}
        shapes: dict[str, Any] = {str(value.name): value.shape for value in self._load().graph.inputs}
        shapes |= {name: array.shape for name, array in self._opened.defaults.items()}
        return {
            name: len(shape)
            for name, shape in shapes.items()
            if shape is not None and (not len(shape) or (isinstance(shape[0], int) and shape[0] != 1))
        }

    def arrays(self) -> ArrayNames | None:
        """The inputs of the graph, where no processor makes them."""
        if self._processor is not None:
            return None
        needed = tuple(str(value.name) for value in self._load().graph.inputs)
        return ArrayNames(needed, tuple(self._opened.defaults), tuple(self._opened.constant))

    @property
    def windows(self) -> Windows | None:
        """How data of the graph is cut, where it takes a series."""
        processor: object = self._processor
        return processor.windows if isinstance(processor, WindowedProcessor) else None

    def check_samples(self, samples: Sequence[Any], data: str) -> None:
        """Raise where the model does not take a sample of the data of that name, as far as no work tells it.

        Raises:
            InputError: It does not.
        """
        processor: object = self._processor
        if not isinstance(processor, CheckingProcessor):
            return
        for number, sample in enumerate(samples, start=1):
            try:
                processor.check_sample(sample)
            except SampleError as error:
                raise InputError(f"{data}, row {number}: {error.message}", hint=error.hint) from error

    def example(self) -> list[Any]:
        """Those of its kind of processor: a file itself comes without data."""
        return list(self._task.processor.examples) if self._task.processor else []

    def _load(self) -> onnx_ir.Model:
        if self._door is None or self._door.model is None:
            self._door = open_door(self.path, self._task, self._processor)
        return self._door.graph

    @property
    def _opened(self) -> OpenedGraph:
        self._door = self._door or open_door(self.path, self._task, self._processor)
        return self._door
