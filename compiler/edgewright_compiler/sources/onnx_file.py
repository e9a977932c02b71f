"""ONNX files, with or without external data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from edgewright_compiler.cache import digest_of
from edgewright_compiler.component import Component, save_graph, write_component
from edgewright_compiler.sources import SourceOptions
from edgewright_compiler.sources.failures import first_line, needs
from edgewright_compiler.sources.text import TOKENIZER_FILE, arrays_pipeline, classification_pipeline, keep_tokenizer
from edgewright_runtime.package import file_digest
from edgewright_targets import InputError

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

_TEXT_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class OnnxSource:
    """An `.onnx` file. Without `--task` its inputs and outputs are named arrays.

    Raises:
        InputError: No such file, not ONNX, cut off, or its external data is missing or outside its folder.
    """

    kind = "onnx"
    tools: tuple[str, ...] = ("onnx", "onnx-ir")

    def __init__(self, path: Path, options: SourceOptions) -> None:
        if not path.is_file():
            raise InputError(f"There is no ONNX file '{path}'.")
        self.path = path
        self.name = path.stem
        self.task = options.task or "arrays"
        self.labels: tuple[str, ...] = options.labels or ()
        self.input_name = "*" if self.task == "arrays" else "text"
        self._tokenizer = path.parent / TOKENIZER_FILE
        if self.task == "text-classification":
            if not self._tokenizer.is_file():
                raise InputError(
                    f"'{path}': the task text-classification needs a tokenizer, and there is no {TOKENIZER_FILE} "
                    "beside the file."
                )
            if not self.labels:
                raise InputError(f"'{path}': the task text-classification needs labels.", hint="Pass --labels FILE.")
        self._graph: onnx_ir.Model | None = None

    def digest(self) -> str:
        """Digest of the file, its external data, its tokenizer and the options."""
        files = [self.path, *self._external_files()]
        if self.task == "text-classification":
            files.append(self._tokenizer)
        names = {path.name: file_digest(path) for path in files}
        return digest_of({"files": names, "task": self.task, "labels": self.labels})

    def export(self, folder: Path) -> None:
        """Copy the graph, its weights apart."""
        model = self._load()
        inputs = tuple(str(value.name) for value in model.graph.inputs)
        outputs = tuple(str(value.name) for value in model.graph.outputs)
        pipeline = arrays_pipeline()
        if self.task == "text-classification":
            unknown = sorted(set(inputs) - set(_TEXT_INPUTS))
            if unknown:
                raise InputError(f"'{self.path}': a text model has the inputs {_TEXT_INPUTS}; this one has {unknown}.")
            keep_tokenizer(self._tokenizer, folder)
            pipeline = classification_pipeline(
                inputs, outputs[0], max_length=self._max_length(), pad_id=self._pad_id(), padding_side="right"
            )
        save_graph(model, folder)
        self._graph = None
        write_component(folder, Component(self.task, self.labels, pipeline, inputs, outputs))

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What ONNX Runtime answers with the user's own file and all graph optimisations off."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InputError(f"ONNX Runtime cannot load '{self.path}': {error}") from error
        names = [output.name for output in session.get_outputs()]
        found = []
        for sample in samples:
            feeds = sample if self.task == "arrays" else self._text_feeds(sample, session)
            try:
                values = session.run(names, feeds)
            except Exception as error:
                raise InputError(f"'{self.path}' cannot run on the data: {error}") from error
            found.append(dict(zip(names, values, strict=True)))
        return found

    def example(self) -> list[Any]:
        """None: a file comes without data."""
        return []

    def _text_feeds(self, text: str, session: Any) -> Arrays:
        import numpy as np
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._tokenizer))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._max_length())
        encoding = tokenizer.encode(text)
        made = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        return {entry.name: np.array([made[entry.name]], dtype=np.int64) for entry in session.get_inputs()}

    def _tokenizer_data(self) -> dict[str, Any]:
        data = json.loads(self._tokenizer.read_text(encoding="utf-8"))
        return data if isinstance(data, dict) else {}

    def _max_length(self) -> int:
        truncation = self._tokenizer_data().get("truncation") or {}
        return int(truncation.get("max_length", 512))

    def _pad_id(self) -> int:
        padding = self._tokenizer_data().get("padding") or {}
        return int(padding.get("pad_id", 0))

    def _load(self) -> onnx_ir.Model:
        if self._graph is None:
            with needs("compiler"):
                import onnx_ir
            try:
                self._graph = onnx_ir.load(self.path)
            except Exception as error:
                raise self._unreadable(first_line(error)) from error
            if not self._graph.graph.outputs:
                raise self._unreadable("its graph has no outputs.")
        return self._graph

    def _unreadable(self, reason: str) -> InputError:
        return InputError(
            f"'{self.path}' is no readable ONNX file: {reason}",
            hint="It may be cut off, or of another kind; export it again.",
        )

    def _external_files(self) -> list[Path]:
        import onnx_ir

        # Bodies of loops and branches keep weights too.
        values = [value for graph in self._load().graphs() for value in graph.initializers.values()]
        ends: dict[str, int] = {}
        for value in values:
            tensor = value.const_value
            if isinstance(tensor, onnx_ir.ExternalTensor):
                name = str(tensor.location)
                ends[name] = max(ends.get(name, 0), (tensor.offset or 0) + (tensor.length or tensor.nbytes))
        for name, end in ends.items():
            pure = PurePosixPath(name)
            if pure.is_absolute() or ".." in pure.parts:
                raise InputError(f"'{self.path}' points at weights outside its folder: {name!r}. It is not read.")
            path = self.path.parent / name
            if not path.is_file():
                raise InputError(
                    f"'{self.path}' keeps weights in '{name}', and there is no such file beside it.",
                    hint="Copy it beside the .onnx file; both were written by one export.",
                )
            if path.stat().st_size < end:
                raise InputError(
                    f"'{self.path}' keeps {end} bytes of weights in '{name}', which has {path.stat().st_size}: it is "
                    "cut off.",
                    hint="Copy it again, or export the model again.",
                )
        return [self.path.parent / name for name in sorted(ends)]
