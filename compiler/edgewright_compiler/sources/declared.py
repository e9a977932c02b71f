"""A model of several ONNX graphs, declared in a `.toml` file beside them: streams, windows, state, and its task."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.cache import digest_of
from edgewright_compiler.graphs.exported import save_model
from edgewright_compiler.processors.voice import LONGEST_SECONDS
from edgewright_compiler.sources._source import PlainSource, SourceOptions
from edgewright_compiler.sources.declared_file import AUDIO, read_declaration
from edgewright_compiler.sources.declared_graphs import DeclaredGraphs
from edgewright_compiler.sources.declared_reference import streams_of
from edgewright_compiler.sources.onnx_file import OnnxSource
from edgewright_compiler.tasks import TASKS, find_task
from edgewright_runtime.errors import AudioWarning
from edgewright_runtime.manifest import PipelineSpec, StepSpec
from edgewright_runtime.package_files import file_digest
from edgewright_runtime.steps.audio.file import AudioReader
from edgewright_targets import InputError
from edgewright_targets.declared import declared_text
from edgewright_targets.errors import nearest
from edgewright_targets.record import RecordError, write_record
from edgewright_targets.toml_lines import line_of, parse_toml

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


def declared_task(path: Path) -> str:
    """The task that a declaration names.

    Raises:
        InputError: There is no such file, or no model can be declared for that task.
    """
    if not path.is_file():
        raise InputError(f"There is no declaration '{path}'.")
    text = declared_text(path, "declaration")
    try:
        task = parse_toml(text, str(path)).get("task")
    except RecordError:
        task = None
    if not isinstance(task, str):
        # What is wrong with such a file is said where it is read.
        return ""
    known = [one.name for one in TASKS if one.declared]
    if task not in known:
        line = line_of(text, ("task",))
        raise InputError(
            f"{path}{'' if line is None else f':{line}'}: a model of several graphs cannot be declared for the task "
            f"'{task}'.",
            hint=nearest(task, known),
        )
    return task


class DeclaredSource(PlainSource):
    """A `.toml` file that declares a model of several graphs.

    Raises:
        InputError: It is wrong, or does not fit its graphs.
    """

    kind = "declared"
    notes: tuple[str, ...] = ()
    graph_itself = True
    tools: tuple[str, ...] = ("onnx", "onnx-ir", "soundfile", "soxr")

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self._declared = read_declaration(path)
        file = self._declared.file
        if options.task not in (None, file.task):
            raise InputError(f"'{path}' declares the task {file.task}, and --task says {options.task}.")
        self.path = path
        self.name = path.stem
        self.task = file.task
        self.input_name = find_task(file.task).input_name
        order = self._declared.order()
        self._graphs = {name: OnnxSource(self._declared.graph_path(name), SourceOptions()) for name in order}
        self.quantized = next((graph.quantized for graph in self._graphs.values() if graph.quantized), "")
        declared = DeclaredGraphs(self._declared, self._graphs)
        self._loops = declared.loops
        self.labels = options.labels or file.labels
        self._settings = declared.keywords(self.labels)

    def digest(self) -> str:
        """Digest of the file, its graphs and the options."""
        graphs = {name: graph.digest() for name, graph in self._graphs.items()}
        return digest_of({"file": file_digest(self.path), "graphs": graphs, "labels": self.labels})

    def export(self, folder: Path) -> None:
        """Copy the graphs, their weights apart."""
        rate = self._settings.sampling_rate
        load = {"sampling_rate": rate, "shortest": 1, "longest": LONGEST_SECONDS * rate}
        steps = (
            StepSpec("load_audio", load),
            *(
                StepSpec("infer_stream", {"component": name, "loop": write_record(loop)})
                for name, loop in self._loops.items()
            ),
            StepSpec("spot_keywords", {"settings": write_record(self._settings)}),
        )
        graphs = {name: graph.graph() for name, graph in self._graphs.items()}
        pipeline = PipelineSpec(AUDIO, find_task(self.task).output_name, steps)
        parts = self._declared.file.component
        kept = [name for name in graphs if parts[name].keep_float]
        save_model(folder, graphs, pipeline, task=self.task, labels=self.labels, float_components=kept)

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What ONNX Runtime answers with the user's own files, all windows of a recording cut at once."""
        rate = self._settings.sampling_rate
        read = AudioReader(sampling_rate=rate, longest=LONGEST_SECONDS * rate)
        sessions = {name: graph.session() for name, graph in self._graphs.items()}
        found = []
        for sample in samples:
            with warnings.catch_warnings():
                # What is heard of a recording is said where it is answered.
                warnings.simplefilter("ignore", AudioWarning)
                waveform = read(sample)
            streams = streams_of(waveform, self._loops, sessions)
            pairs = zip(self._settings.scores, self._settings.counts, strict=True)
            found.append({name: streams[name].reshape(-1, count) for name, count in pairs})
        return found

    def arrays(self) -> None:
        """None: it does not take named arrays."""
