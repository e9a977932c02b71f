"""Sources: what the user has. One file a kind, and this one list, tried in order."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.sources._source import KINDS, CheckingSource, Source, SourceOptions
from edgewright_compiler.sources.model_libraries import LIBRARIES, timm_folder
from edgewright_targets import InputError
from edgewright_targets.errors import MissingDependencyError

if TYPE_CHECKING:
    from edgewright_benchmarks.progress import Progress
    from edgewright_compiler.sources.hub import HubFolder
    from edgewright_targets.findings import Findings

__all__ = ["CheckingSource", "Source", "SourceOptions", "is_code", "open_source"]


def is_code(spec: str) -> bool:
    """Whether `spec` names a function of Python: opening that source imports the user's code, and torch."""
    path = Path(spec)
    module, _, function = spec.partition(":")
    return bool(function) and "/" not in module and not path.exists() and path.suffix not in (".toml", ".onnx")


def open_source(
    spec: str, options: SourceOptions, findings: Findings | None = None, progress: Progress | None = None
) -> Source:
    """The source that `spec` names.

    It is a checkpoint folder, with weights or with one graph that was exported, the id of such a folder on the Hugging
    Face hub, an `.onnx` file, a `.toml` file that declares a model of several graphs, or `package.module:function`.

    Args:
        spec: What the user named.
        options: What the user says about it.
        findings: Gets what is wrong but does not keep data from being read for the source, which must not be exported
            then. Without it such errors are raised as well.
        progress: Told how far a download is.

    Raises:
        InputError: Nothing of that name, or not a source.
    """
    from edgewright_compiler.sources.declared import DeclaredSource, declared_task
    from edgewright_compiler.sources.declared_chain import TASK as CHAIN_TASK
    from edgewright_compiler.sources.declared_chain import DeclaredChain
    from edgewright_compiler.sources.torch_module import TorchSource
    from edgewright_compiler.tasks import find_task

    if options.task is not None:
        find_task(options.task)
    path = Path(spec)
    library, _, model = spec.partition(":")
    if library in LIBRARIES and model and not path.exists():
        return _library_source(library, model, options, progress)
    if (found := _from_hub(spec, options, progress)) is not None:
        return _folder_source(found.folder, options, findings, found.name)
    if path.is_dir():
        return _folder_source(path, options, findings)
    if path.suffix == ".toml":
        return DeclaredChain(path, options) if declared_task(path) == CHAIN_TASK else DeclaredSource(path, options)
    if path.suffix == ".onnx" or path.is_file():
        return _file_source(path, options)
    if is_code(spec):
        module, _, function = spec.partition(":")
        return TorchSource(module, function, options)
    raise InputError(f"The source '{spec}' does not exist.", hint=f"A source is {KINDS}.")


def _folder_source(folder: Path, options: SourceOptions, findings: Findings | None, name: str = "") -> Source:
    from edgewright_compiler.checkpoints.checkpoint import read_config
    from edgewright_compiler.sources.diffusers_part import PIPELINE_FILE, DiffusersPart
    from edgewright_compiler.sources.exported_folder import exported_graph
    from edgewright_compiler.sources.huggingface import HuggingFaceSource, inferred_task
    from edgewright_compiler.sources.library_model import LibrarySource
    from edgewright_compiler.sources.onnx_file import OnnxSource
    from edgewright_compiler.sources.other_forms import refuse_folder

    if (folder.resolve().parent / PIPELINE_FILE).is_file():
        return DiffusersPart(folder, options)
    if architecture := timm_folder(folder):
        weights = sorted(folder.glob("*.safetensors"))
        if len(weights) != 1:
            raise InputError(f"'{folder}' holds {len(weights)} files of weights (*.safetensors); timm writes one.")
        return LibrarySource("timm", architecture, options, weights[0], name or folder.resolve().name)
    if graph := exported_graph(folder):
        refuse_folder(folder)
        configured = (folder / "config.json").is_file()
        task = options.task or (inferred_task(read_config(folder), folder).name if configured else None)
        return OnnxSource(graph, dataclasses.replace(options, task=task), name or folder.resolve().name)
    return HuggingFaceSource(folder, options, findings, name)


def _file_source(path: Path, options: SourceOptions) -> Source:
    """An `.onnx` file: of the task of the model whose files lie beside it, or else for named arrays.

    Raises:
        InputError: It cannot be built for that task; the hint says how it is built for named arrays.
    """
    from edgewright_compiler.checkpoints.checkpoint import checkpoint_beside
    from edgewright_compiler.sources.exported_folder import whole_of
    from edgewright_compiler.sources.huggingface import known_task
    from edgewright_compiler.sources.onnx_file import OnnxSource

    if options.task is not None or not path.is_file():
        return OnnxSource(path, options)
    known = ""
    try:
        beside = checkpoint_beside(path)
        if (task := known_task(beside.config, beside.folder)) is None:
            return OnnxSource(path, options)
        if (whole := whole_of(path)) is not None:
            note = (
                f"{path.name} is a part of a model for {task.name}, and is built for named arrays. The whole model is "
                f"built from its folder: edgewright build {whole}"
            )
            return OnnxSource(path, options, notes=(note,))
        known = f" The files beside it are of a model for {task.name}."
        return OnnxSource(path, dataclasses.replace(options, task=task.name))
    except MissingDependencyError:
        raise
    except InputError as error:
        # What is wrong with the file itself is said as it is: for named arrays it is wrong as well.
        OnnxSource(path, options)
        hint = f"{error.hint}{known} For named arrays, pass --task arrays."
        raise InputError(error.message, hint=hint.strip()) from error


def _library_source(library: str, model: str, options: SourceOptions, progress: Progress | None) -> Source:
    """A model of a library, with its trained weights where they are in the hub's cache or may be fetched."""
    from edgewright_compiler.sources import hub
    from edgewright_compiler.sources.library_model import LibrarySource

    asked = hub.hub_id(LIBRARIES[library].trained(model))
    if options.fetch and asked is None:
        raise InputError(f"--fetch: no trained weights of '{library}:{model}' are on the Hugging Face hub.")
    found = None
    if asked is not None:
        found = hub.fetched(asked, progress or Quiet()) if options.fetch else hub.in_cache(asked)
    weights = next(iter(sorted(found.folder.glob("*.safetensors"))), None) if found else None
    return LibrarySource(library, model, options, weights)


def _from_hub(spec: str, options: SourceOptions, progress: Progress | None) -> HubFolder | None:
    """The files of a model of the hub; None where `spec` names something else.

    Raises:
        InputError: It is not here and was not to be fetched, could not be, or a folder has the same name.
    """
    from edgewright_compiler.sources import hub

    asked, path = hub.hub_id(spec), Path(spec)
    if asked is None or path.is_file():
        if options.fetch:
            raise InputError(
                f"--fetch fetches models of the Hugging Face hub, and '{spec}' is not the id of one.",
                hint="An id is organization/name, or organization/name@revision.",
            )
        return None
    if path.is_dir():
        if options.fetch or hub.in_cache(asked) is not None:
            raise InputError(
                f"'{spec}' is a folder here and "
                + ("was to be fetched from the hub." if options.fetch else "a model of the hub in the local cache."),
                hint=f"For the folder, write ./{spec}; for the hub's, {asked.repo}@{asked.revision or 'main'}.",
            )
        return None
    if options.fetch:
        return hub.fetched(asked, progress or Quiet())
    if (found := hub.in_cache(asked)) is None:
        raise hub.missing(asked)
    return found
