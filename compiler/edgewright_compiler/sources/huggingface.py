"""Hugging Face checkpoint folders, exported with transformers' own exporter. Nothing is downloaded."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.cache import digest_of
from edgewright_compiler.component import Component, save_graph, write_component
from edgewright_compiler.sources import SourceOptions
from edgewright_compiler.sources.failures import export_failures, first_line, needs
from edgewright_compiler.sources.text import TOKENIZER_FILE, classification_pipeline, keep_tokenizer
from edgewright_runtime.package import file_digest
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# Ending of the architecture's name in config.json -> task. transformers names its classes this way throughout.
_TASK_OF_HEAD = {"ForSequenceClassification": "text-classification"}
# A tokenizer without a limit says 10^30; the position table of the model is the true limit then.
_NO_LIMIT = 10**6
# Vocabularies as transformers saves them: its own form, WordPiece and BPE, SentencePiece.
_TOKENIZER_FILES = ("tokenizer.json", "vocab.*", "*.model", "*.spm")
_EXAMPLE = ("a first example for the exporter", "and a second one that is longer than the first")


class HuggingFaceSource:
    """A folder with `config.json`, weights and tokenizer.

    Raises:
        InputError: The folder is no checkpoint, or of a task or form that is not supported.
    """

    kind = "huggingface"
    tools: tuple[str, ...] = ("torch", "transformers", "onnx", "onnx-ir", "onnxscript", "tokenizers")

    def __init__(self, folder: Path, options: SourceOptions) -> None:
        self.folder = folder
        self.name = folder.resolve().name
        self._config = _read_config(folder)
        self.task = options.task or _infer_task(self._config, folder)
        if self.task != "text-classification":
            raise InputError(f"'{folder}': a checkpoint folder cannot be built for the task '{self.task}' yet.")
        problem = self._config.get("problem_type")
        if problem not in (None, "single_label_classification"):
            raise InputError(f"'{folder}': its problem type is '{problem}'; one label for each text is supported.")
        if not list(folder.glob("*.safetensors")) and not list(folder.glob("pytorch_model*.bin")):
            raise InputError(f"'{folder}' is no checkpoint: it has config.json and no weights (*.safetensors).")
        # Without one transformers makes a tokenizer that knows no word, and says nothing.
        if not any(any(folder.glob(pattern)) for pattern in _TOKENIZER_FILES):
            raise InputError(
                f"'{folder}' is no checkpoint: it has no tokenizer (tokenizer.json).",
                hint="Save it into the same folder: tokenizer.save_pretrained(folder).",
            )
        self.labels: tuple[str, ...] = options.labels or _labels(self._config, folder)
        self.input_name = "text"
        self._loaded: tuple[Any, Any] | None = None

    def digest(self) -> str:
        """Digest of the files at the top of the folder, and of the options."""
        files = {path.name: file_digest(path) for path in sorted(self.folder.iterdir()) if path.is_file()}
        return digest_of({"files": files, "task": self.task, "labels": self.labels})

    def export(self, folder: Path) -> None:
        """Export with dynamic batch and sequence axes."""
        # First, because it says what to do where the frameworks are missing.
        model, tokenizer = self._load()
        import torch
        from transformers.exporters import OnnxConfig  # type: ignore[attr-defined]
        from transformers.exporters.exporter_onnx import OnnxExporter

        limit = self._max_length(tokenizer)
        feeds = dict(tokenizer(list(_EXAMPLE), padding=True, truncation=True, max_length=limit, return_tensors="pt"))
        # The position table ends somewhere; an axis without an upper end is refused by torch.export.
        sequence = torch.export.Dim("sequence", min=2, max=limit)
        axes = {0: torch.export.Dim("batch"), 1: sequence}
        config = OnnxConfig(dynamic_shapes={name: dict(axes) for name in feeds})
        exporter: Any = OnnxExporter
        with export_failures(f"'{self.folder}'"):
            graph = exporter().export(model, feeds, config).program
        save_graph(graph, folder)
        inputs = tuple(str(value.name) for value in graph.graph.inputs)
        (logits,) = (str(value.name) for value in graph.graph.outputs)
        with tempfile.TemporaryDirectory() as scratch:
            tokenizer.backend_tokenizer.save(f"{scratch}/{TOKENIZER_FILE}")
            keep_tokenizer(Path(scratch) / TOKENIZER_FILE, folder)
        pipeline = classification_pipeline(
            inputs,
            logits,
            max_length=limit,
            pad_id=tokenizer.pad_token_id or 0,
            padding_side=tokenizer.padding_side,
        )
        write_component(folder, Component(self.task, self.labels, pipeline, inputs, (logits,)))

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """The logits of the torch model, with the source's own tokenizer."""
        model, tokenizer = self._load()
        import torch

        limit = self._max_length(tokenizer)
        found = []
        with torch.no_grad():
            for text in samples:
                feeds = tokenizer(text, truncation=True, max_length=limit, return_tensors="pt")
                found.append({"logits": model(**feeds).logits.numpy()})
        return found

    def example(self) -> list[Any]:
        """None: a checkpoint comes without data."""
        return []

    def _max_length(self, tokenizer: Any) -> int:
        limits = [tokenizer.model_max_length, self._config.get("max_position_embeddings")]
        known = [int(limit) for limit in limits if limit and limit < _NO_LIMIT]
        return min(known) if known else 512

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            with needs("compiler"):
                import torch
                from transformers import AutoModelForSequenceClassification, AutoTokenizer
            from transformers.utils import logging

            logging.set_verbosity_error()  # type: ignore[no-untyped-call]
            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            try:
                # Code that comes with a checkpoint is not run; left open, transformers would ask on the terminal.
                offline = {"local_files_only": True, "trust_remote_code": False}
                tokenizer = AutoTokenizer.from_pretrained(self.folder, **offline)
                # Only the scores: a configuration may ask for hidden states and attentions as well.
                lean = {"output_hidden_states": False, "output_attentions": False}
                model = AutoModelForSequenceClassification.from_pretrained(
                    self.folder, dtype=torch.float32, **offline, **lean
                )
            except Exception as error:
                # transformers raises OSError, ValueError, SafetensorError, ... for files that it cannot read.
                raise InputError(
                    f"'{self.folder}' cannot be loaded as a checkpoint: {first_line(error)}",
                    hint="A checkpoint folder is what save_pretrained of transformers writes, model and tokenizer.",
                ) from error
            if not getattr(tokenizer, "is_fast", False):
                raise InputError(
                    f"'{self.folder}': its tokenizer has no fast form (tokenizer.json), which is what runs on a device."
                )
            if len(self.labels) != model.config.num_labels:
                raise InputError(
                    f"'{self.folder}': there are {len(self.labels)} labels, the model has {model.config.num_labels}."
                )
            self._loaded = (model.eval(), tokenizer)
        return self._loaded


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        names = sorted(entry.name for entry in folder.iterdir())[:6]
        raise InputError(
            f"'{folder}' is no checkpoint: it has no config.json (it has: {', '.join(names) or 'nothing'}).",
            hint="A checkpoint folder is what save_pretrained of transformers writes, model and tokenizer.",
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"'{path}' cannot be read: {error}.") from error
    if not isinstance(data, dict):
        raise InputError(f"'{path}' is no configuration of a model.")
    return data


def _infer_task(config: dict[str, Any], folder: Path) -> str:
    names = config.get("architectures") or []
    for name in names:
        for head, task in _TASK_OF_HEAD.items():
            if str(name).endswith(head):
                return task
    raise InputError(
        f"'{folder}': no task can be inferred from its architecture ({', '.join(map(str, names)) or 'none named'}).",
        hint=f"Supported heads: {', '.join(_TASK_OF_HEAD)}. If it is one of them, pass --task.",
    )


def _labels(config: dict[str, Any], folder: Path) -> tuple[str, ...]:
    table = config.get("id2label")
    if isinstance(table, dict) and table:
        try:
            by_index = {int(key): str(value) for key, value in table.items()}
        except ValueError:
            by_index = {}
        if sorted(by_index) == list(range(len(by_index))) and by_index:
            return tuple(by_index[index] for index in range(len(by_index)))
    raise InputError(f"'{folder}': config.json has no usable id2label.", hint="Pass the labels with --labels FILE.")
