"""Reading the user's ONNX files."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.graphs.onnx_weights import read_where_they_lie, weight_files
from edgewright_compiler.graphs.other_outputs import CutMap, cut_maps, refuse_others
from edgewright_targets import InputError
from edgewright_targets.errors import first_line
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    import onnx_ir


def read_graph(path: Path) -> onnx_ir.Model:
    """The graph in a file; its weights stay on disk until they are asked for.

    Raises:
        InputError: It cannot be read, or its weights cannot.
    """
    return read_whole(path).model


@dataclass(frozen=True)
class ReadGraph:
    """What a file holds.

    Attributes:
        model: The graph.
        files: The files of its weights by the names that the graph has for them.
        maps: Outputs that were maps of classes and are their scores now.
    """

    model: onnx_ir.Model
    files: dict[str, Path]
    maps: tuple[CutMap, ...]


def read_whole(path: Path) -> ReadGraph:
    """The graph in a file, and what belongs to it.

    Raises:
        InputError: It cannot be read, or its weights cannot.
    """
    with needs("compiler"):
        import onnx
        import onnx_ir
    try:
        # As onnx_ir.load does it, but for what it has no word for.
        proto = onnx.load(path, load_external_data=False)
    except Exception as error:
        raise unreadable(path, first_line(error)) from error
    maps = cut_maps(proto)
    refuse_others(path, proto)
    # It logs that a value is made nowhere, and goes on; here that is refused in words.
    log = logging.getLogger("onnx_ir")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        model = onnx_ir.serde.deserialize_model(proto)
    except Exception as error:
        raise unreadable(path, first_line(error)) from error
    finally:
        log.setLevel(level)
    onnx_ir.external_data.set_base_dir(model.graph, path.parent)
    files = weight_files(path, model)
    read_where_they_lie(path, model)
    return ReadGraph(model, files, maps)


def unreadable(path: Path, reason: str) -> InputError:
    """That a file is not an ONNX file that could be used."""
    return InputError(
        f"'{path}' is not a readable ONNX file: {reason}",
        hint="The file may be cut off, or of another kind. Export it again.",
    )
