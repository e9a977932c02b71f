"""Weights that the user's ONNX files keep in files beside them: found, checked, and read where they lie."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgewright_targets import InputError

if TYPE_CHECKING:
    import onnx_ir

# A tensor that is kept in a file, and what puts another in its place.
_Slot = tuple["onnx_ir.ExternalTensor", "Callable[[onnx_ir.TensorProtocol], None]"]


def weight_files(path: Path, model: onnx_ir.Model) -> dict[str, Path]:
    """The files of weights of the graph in `path`, by the names that the graph has for them.

    Raises:
        InputError: A file is missing, cut off, or outside the folder of the graph.
    """
    ends: dict[str, int] = {}
    for tensor, _ in _slots(model):
        location = str(tensor.location)
        if not _is_inside(location):
            raise InputError(f"'{path}' refers to weights outside its folder: {location[:200]!r}. They are not read.")
        ends[location] = max(ends.get(location, 0), (tensor.offset or 0) + (tensor.length or tensor.nbytes))
    for location, end in ends.items():
        file = path.parent / location
        if not file.is_file():
            raise InputError(
                f"'{path}' keeps weights in '{location}', but there is no such file beside it.",
                hint="Copy that file beside the .onnx file. One export wrote both.",
            )
        size = file.stat().st_size
        if size < end:
            raise InputError(
                f"'{path}' keeps {end} bytes of weights in '{location}', which has {size}: it is cut off.",
                hint="Copy it again, or export the model again.",
            )
    return {location: path.parent / location for location in sorted(ends)}


def read_where_they_lie(path: Path, model: onnx_ir.Model) -> None:
    """Let weights behind links be read, as the cache of Hugging Face's hub has them, and load those in attributes.

    The file is the user's own, and so are its links; onnx_ir refuses them as the way of a stranger out of a folder.
    Names that leave the folder and files that are missing stay what they are. Tensors in attributes stay in the file
    of the graph, as nothing writes them beside it.
    """
    import onnx_ir

    for tensor, put in _slots(model):
        real = (path.parent / tensor.location).resolve()
        if _is_inside(str(tensor.location)) and real.is_file():
            place = onnx_ir.ExternalTensor(
                real.name, tensor.offset, tensor.length, tensor.dtype,
                shape=tensor.shape, name=str(tensor.name), base_dir=real.parent,
            )  # fmt: skip
            put(place)


def _slots(model: onnx_ir.Model) -> Iterator[_Slot]:
    """Tensors in files: of all graphs, so also of the bodies of loops and branches, and of the attributes of nodes."""
    import onnx_ir

    for graph in model.graphs():
        for value in list(graph.initializers.values()):
            if isinstance(value.const_value, onnx_ir.ExternalTensor):
                yield value.const_value, functools.partial(setattr, value, "const_value")
    bodies: list[onnx_ir.Graph | onnx_ir.Function] = [model.graph, *model.functions.values()]
    for body in bodies:
        for node in body.all_nodes():
            for attribute in list(node.attributes.values()):
                if isinstance(attribute.value, onnx_ir.ExternalTensor):
                    yield attribute.value, functools.partial(_put_loaded, node, attribute.name)


def _put_loaded(node: onnx_ir.Node, name: str, tensor: onnx_ir.TensorProtocol) -> None:
    import onnx_ir

    array = tensor.numpy().copy()
    node.attributes[name] = onnx_ir.AttrTensor(name, onnx_ir.Tensor(array, dtype=tensor.dtype, name=tensor.name))


def _is_inside(location: str) -> bool:
    pure = PurePosixPath(location)
    return not pure.is_absolute() and ".." not in pure.parts
