"""A component: one exported graph with its weights apart, and everything that travels with it, in a folder.

model.onnx       the graph; weights of more than a few bytes are in
weights/         weights.bin
assets/NAME/     files that steps of the pipeline need, such as assets/tokenizer/tokenizer.json
component.json   the fields of `Component`
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.cache import digest_of
from edgewright_runtime.manifest import PipelineSpec
from edgewright_runtime.package import file_digest
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    import onnx_ir

GRAPH_FILE = "model.onnx"
WEIGHTS_FOLDER = "weights"
WEIGHTS_FILE = "weights.bin"
ASSETS_FOLDER = "assets"
_RECORD = "component.json"
# `asset:NAME/file` in a step's options stands for a file under assets/; packages have a digest in its place.
ASSET_PREFIX = "asset:"


@dataclass(frozen=True)
class Component:
    """What a source exports.

    Attributes:
        task: Task as transformers' pipelines spell it, or `arrays`.
        labels: Class names by index; empty where there are none.
        pipeline: The way of a sample; its assets are named `asset:NAME/file`.
        inputs: Names of the graph's inputs.
        outputs: Names of the graph's outputs.
    """

    task: str
    labels: tuple[str, ...]
    pipeline: PipelineSpec
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def write_component(folder: Path, component: Component) -> None:
    """Write the record beside the graph."""
    text = json.dumps(write_record(component), indent=1, sort_keys=True)
    (folder / _RECORD).write_text(text + "\n", encoding="utf-8")


def read_component(folder: Path) -> Component:
    """Read the record beside the graph."""
    data = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    return read_record(Component, data, str(folder / _RECORD))


def save_graph(model: onnx_ir.Model, folder: Path) -> None:
    """Write a graph into a component's or an engine's folder, with its weights apart and without traces of the builder.

    Exporters leave stack traces with paths of the exporting machine in node metadata; they are dropped, which also
    makes the bytes the same on every machine.
    """
    import onnx_ir
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()
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
    files: dict[str, Any] = {
        str(path.relative_to(folder)): file_digest(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    return digest_of(files)
