"""An exported model: the graphs of its components with their weights apart, and everything that travels with them.

COMPONENT/model.onnx   a graph for each component; weights of more than a few bytes are in
COMPONENT/weights/     weights.bin
assets/NAME/           files that steps of the pipeline need, such as assets/tokenizer/tokenizer.json
exported.json          the fields of `ExportedModel`

Most models are one graph: the component `model`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.cache import digest_of
from edgewright_runtime.manifest import PipelineSpec
from edgewright_runtime.package_files import file_digest
from edgewright_runtime.steps import step_kind
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    import onnx_ir

GRAPH_FILE = "model.onnx"
WEIGHTS_FOLDER = "weights"
WEIGHTS_FILE = "weights.bin"
ASSETS_FOLDER = "assets"
_RECORD = "exported.json"
# `asset:NAME/file` in a step's options stands for a file under assets/; packages have a digest in its place.
ASSET_PREFIX = "asset:"


@dataclass(frozen=True)
class Ports:
    """Names of the inputs and of the outputs of a graph."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ExportedModel:
    """What a source exports.

    Attributes:
        task: Task as transformers' pipelines spell it, or `arrays`.
        labels: Class names by index; empty where there are none.
        pipeline: The way of a sample; its assets are named `asset:NAME/file`.
        graphs: Component to the inputs and outputs of its graph.
        float_components: Those that keep float whatever the candidate, such as one that computes a spectrogram.
        notes: What the evidence should say about the source.
    """

    task: str
    labels: tuple[str, ...]
    pipeline: PipelineSpec
    graphs: dict[str, Ports]
    float_components: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def in_loop(self, component: str) -> bool:
        """Whether a step runs the graph again and again with the state that it carries."""
        measured = self.pipeline.measured
        steps = (*self.pipeline.steps, *(measured.steps if measured else ()))
        return any(step_kind(step.step).loops and step.options.get("component") == component for step in steps)

    def text_limits(self, component: str) -> dict[str, int]:
        """Inputs of a graph that are tokens of texts, and the most that the model takes."""
        steps = self.pipeline.steps
        limits = {
            name: int(step.options["max_length"])
            for step in steps
            if step_kind(step.step).tokenizes
            for name in step.options["outputs"]
        }
        wired = {
            name: value
            for step in steps
            if step.options.get("component") == component
            for name, value in dict(step.options.get("inputs") or {}).items()
        }
        inputs = self.graphs[component].inputs
        return {name: limits[wired.get(name, name)] for name in inputs if wired.get(name, name) in limits}


@dataclass(frozen=True)
class ExportedFolder:
    """An exported model on disk: its folder, its record, and the digest of all its files."""

    path: Path
    model: ExportedModel
    digest: str

    @classmethod
    def read(cls, path: Path) -> ExportedFolder:
        """Read the record, and compute the digest."""
        return cls(path, read_exported(path), tree_digest(path))

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components."""
        return tuple(self.model.graphs)


def ports_of(model: onnx_ir.Model) -> Ports:
    """The names of a graph's inputs and outputs."""
    return Ports(
        tuple(str(value.name) for value in model.graph.inputs), tuple(str(value.name) for value in model.graph.outputs)
    )


def save_model(
    folder: Path,
    graphs: Mapping[str, onnx_ir.Model],
    pipeline: PipelineSpec,
    *,
    task: str,
    labels: Sequence[str] = (),
    float_components: Sequence[str] = (),
) -> None:
    """Write an exported model: its graphs by component, and the record beside them. Assets are the caller's to add."""
    for component, graph in graphs.items():
        save_graph(graph, folder / component)
    ports = {component: ports_of(graph) for component, graph in graphs.items()}
    write_exported(
        folder,
        ExportedModel(
            task=task, labels=tuple(labels), pipeline=pipeline, graphs=ports, float_components=tuple(float_components)
        ),
    )


def write_exported(folder: Path, model: ExportedModel) -> None:
    """Write the record beside the graphs."""
    text = json.dumps(write_record(model), indent=1, sort_keys=True)
    (folder / _RECORD).write_text(text + "\n", encoding="utf-8")


def read_exported(folder: Path) -> ExportedModel:
    """Read the record beside the graphs."""
    data = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    return read_record(ExportedModel, data, str(folder / _RECORD))


def load_graph(folder: Path) -> onnx_ir.Model:
    """The graph of a component in its folder; its weights stay on disk until they are asked for."""
    import onnx_ir

    model = onnx_ir.load(folder / GRAPH_FILE)
    weights = folder / WEIGHTS_FOLDER
    if weights.is_dir():
        onnx_ir.external_data.set_base_dir(model.graph, weights)
    return model


def write_graph(model: onnx_ir.Model, folder: Path) -> Path:
    """Write a graph into `folder` with its weights beside it, as most tools read them; gives the graph's path."""
    import onnx_ir

    folder.mkdir(parents=True, exist_ok=True)
    onnx_ir.save(model, folder / GRAPH_FILE, external_data=WEIGHTS_FILE)
    return folder / GRAPH_FILE


def save_graph(model: onnx_ir.Model, folder: Path) -> None:
    """Write the graph of a component into its folder, with its weights apart and without traces of the builder."""
    import onnx_ir

    _clean(model)
    folder.mkdir(parents=True, exist_ok=True)
    # onnx_ir writes external data beside the graph; a package keeps it in a shared asset of its own.
    onnx_ir.save(model, folder / GRAPH_FILE, external_data=WEIGHTS_FILE)
    weights = folder / WEIGHTS_FOLDER
    weights.mkdir(exist_ok=True)
    data = folder / WEIGHTS_FILE
    if data.exists():
        data.rename(weights / WEIGHTS_FILE)
    else:
        weights.rmdir()


def _clean(model: onnx_ir.Model) -> None:
    """Drop stack traces with paths of the exporting machine, which also makes the bytes the same on every machine."""
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()


def share_weights(folders: Mapping[str, Path], destination: Path) -> None:
    """Write the graphs of several components over one file of weights, in which equal ones are stored once.

    Args:
        folders: Component to the folder of its graph.
        destination: Gets `COMPONENT/model.onnx`, and `weights/` beside these folders.
    """
    import onnx_ir
    from onnx_ir.external_data import convert_tensors_to_external

    models = {name: onnx_ir.load(copy_graph(folder, destination / name)) for name, folder in folders.items()}
    kept: dict[tuple[str, str], Any] = {}
    held: list[tuple[Any, tuple[str, str]]] = []
    for model in models.values():
        for value in (value for graph in model.graphs() for value in graph.initializers.values()):
            if isinstance(value.const_value, onnx_ir.ExternalTensor):
                tensor = value.const_value
                key = (tensor.dtype.name, hashlib.sha256(tensor.tobytes()).hexdigest())
                kept.setdefault(key, tensor)
                held.append((value, key))
    weights = destination / WEIGHTS_FOLDER
    weights.mkdir()
    stored = dict(zip(kept, convert_tensors_to_external(list(kept.values()), weights, WEIGHTS_FILE), strict=True))
    for value, key in held:
        place, tensor = stored[key], value.const_value
        value.const_value = onnx_ir.ExternalTensor(
            place.location,
            place.offset,
            place.length,
            tensor.dtype,
            shape=tensor.shape,
            name=tensor.name,
            base_dir=weights,
        )
    for name, model in models.items():
        onnx_ir.save(model, destination / name / GRAPH_FILE)
        (destination / name / WEIGHTS_FILE).unlink(missing_ok=True)


def copy_graph(folder: Path, destination: Path) -> Path:
    """The graph in `folder` with its weights beside it, as most tools read them; gives the graph's path."""
    destination.mkdir(parents=True, exist_ok=True)
    for path in (folder / GRAPH_FILE, folder / WEIGHTS_FOLDER / WEIGHTS_FILE):
        if path.exists():
            # A copy and no hard link: onnx takes weights with a second link for an attack and refuses them.
            shutil.copyfile(path, destination / path.name)
    return destination / GRAPH_FILE


def tree_digest(folder: Path) -> str:
    """Digest of names and bytes of all files below a folder."""
    files = {str(path.relative_to(folder)): file_digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    return digest_of(files)
