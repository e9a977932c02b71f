"""Reading the user's ONNX files."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
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
        model = onnx_ir.load(path)
    except Exception as error:
        raise unreadable(path, first_line(error)) from error
    _follow_links(model)
    return model


def _follow_links(model: onnx_ir.Model) -> None:
    """Let weights behind links be read where they lie, as the cache of Hugging Face's hub has them.

    The file is the user's own, and so are its links; onnx_ir refuses them as the way of a stranger out of a folder.
    Names that leave the folder stay what they are, and are refused.
    """
    import onnx_ir

    for value in (value for graph in model.graphs() for value in graph.initializers.values()):
        tensor = value.const_value
        if not isinstance(tensor, onnx_ir.ExternalTensor) or not is_inside(str(tensor.location)):
            continue
        real = Path(tensor.path).resolve()
        if real != Path(tensor.path).absolute() and real.is_file():
            value.const_value = onnx_ir.ExternalTensor(
                real.name, tensor.offset, tensor.length, tensor.dtype,
                shape=tensor.shape, name=str(tensor.name), base_dir=real.parent,
            )  # fmt: skip


def is_inside(location: str) -> bool:
    """Whether the name of a file of weights stays in the folder of its graph."""
    pure = PurePosixPath(location)
    return not pure.is_absolute() and ".." not in pure.parts


def unreadable(path: Path, reason: str) -> InputError:
    """That a file is no ONNX file that could be used."""
    return InputError(
        f"'{path}' is no readable ONNX file: {reason}",
        hint="It may be cut off, or of another kind; export it again.",
    )
