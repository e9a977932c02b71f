"""Free axes of a graph's inputs that have one length in all samples, so that a session may count on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.graphs.exported import GRAPH_FILE
from edgewright_compiler.graphs.feed_shapes import FeedShapes
from edgewright_compiler.graphs.fixed_shapes import FixingError
from edgewright_runtime.options import NAME_IN_KEY

if TYPE_CHECKING:
    import onnx_ir

# Lengths that a message lists.
_SHOWN = 3


def free_dimensions(folder: Path, shapes: FeedShapes) -> dict[str, int]:
    """The length of each free axis of the inputs of the graph in `folder`, by its name; axes without one stay free.

    Args:
        folder: With the graph.
        shapes: Shapes of what it is given, one sample a call.

    Raises:
        FixingError: Samples differ in an axis, or two axes of one name differ.
    """
    import onnx_ir

    found: dict[str, int] = {}
    for value in onnx_ir.load(folder / GRAPH_FILE).graph.inputs:
        for axis, name in _free_axes(value):
            lengths = {shape[axis] for shape in shapes.inputs[str(value.name)]}
            if name in found:
                lengths.add(found[name])
            if len(lengths) != 1:
                raise FixingError(_unlike(str(value.name), name, sorted(lengths)))
            found[name] = lengths.pop()
    return found


def _free_axes(value: onnx_ir.Value) -> list[tuple[int, str]]:
    """The axes of an input that have no length, and a name that a package can say."""
    dims = value.shape.dims if value.shape is not None else ()
    free = [(axis, str(dim.value)) for axis, dim in enumerate(dims) if not isinstance(dim, int) and dim.value]
    return [(axis, name) for axis, name in free if NAME_IN_KEY.fullmatch(name)]


def _unlike(name: str, axis: str, lengths: list[int]) -> str:
    some = ", ".join(map(str, lengths[:_SHOWN])) + (", ..." if len(lengths) > _SHOWN else "")
    return f"Its axes cannot be fixed: '{axis}' of the input '{name}' has {len(lengths)} lengths in the data ({some})."
