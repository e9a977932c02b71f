"""Reading the user's ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.sources.failures import first_line, needs
from edgewright_compiler.sources.onnx_weights import read_where_they_lie, weight_files
from edgewright_targets import InputError

if TYPE_CHECKING:
    import onnx_ir


def read_graph(path: Path) -> onnx_ir.Model:
    """The graph in a file; its weights stay on disk until they are asked for.

    Raises:
        InputError: It cannot be read, or its weights cannot.
    """
    return read_graph_and_files(path)[0]


def read_graph_and_files(path: Path) -> tuple[onnx_ir.Model, dict[str, Path]]:
    """The graph in a file, and the files of its weights by the names that the graph has for them.

    Raises:
        InputError: It cannot be read, or its weights cannot.
    """
    with needs("compiler"):
        import onnx_ir
    try:
        model = onnx_ir.load(path)
    except Exception as error:
        raise unreadable(path, first_line(error)) from error
    files = weight_files(path, model)
    read_where_they_lie(path, model)
    return model, files


def unreadable(path: Path, reason: str) -> InputError:
    """That a file is no ONNX file that could be used."""
    return InputError(
        f"'{path}' is no readable ONNX file: {reason}",
        hint="It may be cut off, or of another kind; export it again.",
    )
