"""Reading the user's ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.sources.failures import first_line, needs
from edgewright_targets import InputError

if TYPE_CHECKING:
    import onnx_ir


def read_graph(path: Path) -> onnx_ir.Model:
    """The graph in a file; its weights stay on disk until they are asked for.

    Raises:
        InputError: It cannot be read.
    """
    with needs("compiler"):
        import onnx_ir
    try:
        return onnx_ir.load(path)
    except Exception as error:
        raise unreadable(path, first_line(error)) from error


def unreadable(path: Path, reason: str) -> InputError:
    """That a file is no ONNX file that could be used."""
    return InputError(
        f"'{path}' is no readable ONNX file: {reason}",
        hint="It may be cut off, or of another kind; export it again.",
    )
