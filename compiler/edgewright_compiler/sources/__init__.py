"""Sources: what the user has. One file a kind, and this one list, tried in order."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.sources._source import Source, SourceOptions
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_targets.findings import Findings

__all__ = ["Source", "SourceOptions", "is_code", "open_source"]


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
        f"The source '{spec}' does not exist.",
        hint="A source is a Hugging Face checkpoint folder, an .onnx file, a .toml file that declares a model of "
        "several graphs, or package.module:function.",
    )
