"""Graphs of fixed shapes, for hardware that compiles one shape ahead of time: which one, and the graph that has it."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.graphs.exported import copy_graph, save_graph
from edgewright_compiler.graphs.feed_shapes import FeedShapes, Shape
from edgewright_targets import InputError

if TYPE_CHECKING:
    import onnx_ir

# Coarse, so that a few more texts in the data do not ask for another engine.
_LENGTH_STEP = 8
_KEPT_WHOLE = 0.99
_MORE_DATA = "Pass data with --calibration."


class FixingError(Exception):
    """This graph cannot have these fixed shapes; the text says why, for people."""


@dataclass(frozen=True)
class TextLength:
    """A fixed number of tokens, chosen from data.

    Attributes:
        tokens: Texts are padded or cut to so many.
        samples: Texts that it was chosen from.
        longest: Tokens of the longest of them.
        cut: How many of them are longer, and lose what is behind.
    """

    tokens: int
    samples: int
    longest: int
    cut: int

    def sentence(self) -> str:
        """What was chosen and what it costs, for people."""
        share = f"{self.cut} of {self.samples:,} texts ({self.cut / self.samples:.1%})"
        return (
            f"Texts are padded or cut to {self.tokens} tokens; {share} are longer (up to {self.longest}) and are cut."
        )


def choose_length(counts: Sequence[int], limit: int) -> TextLength:
    """The length that holds 99 % of texts with these token counts whole, in steps of 8, at most the model's `limit`."""
    ranked = sorted(counts)
    enough = ranked[math.ceil(_KEPT_WHOLE * len(ranked)) - 1]
    tokens = min(-(-enough // _LENGTH_STEP) * _LENGTH_STEP, limit)
    return TextLength(tokens, len(counts), ranked[-1], sum(count > tokens for count in counts))


def choose_shapes(feeds: FeedShapes, texts: Mapping[str, int] | None = None) -> tuple[dict[str, Shape], str]:
    """Shapes for a graph of fixed shapes from those of real inputs; also says what was chosen, in sentences.

    Args:
        feeds: Shapes of what the graph is given for the samples of the data.
        texts: Inputs whose last axis are the tokens of a text, and the most that the model takes. Other inputs must
            be alike in all but the first axis, which is the batch and becomes 1.

    Raises:
        InputError: There is no data.
        FixingError: Arrays of several shapes: other samples, or a model that brings them to one, would do.
    """
    texts = texts or {}
    if not feeds.samples:
        raise InputError(
            "The target takes graphs of fixed shapes only, and there is no data to choose them from.", hint=_MORE_DATA
        )
    shapes: dict[str, Shape] = {}
    said: dict[str, None] = {}
    for name, those in feeds.inputs.items():
        if name in texts:
            length = choose_length([shape[-1] for shape in those], texts[name])
            shapes[name] = (*_one_shape(name, [shape[:-1] for shape in those]), length.tokens)
            said[length.sentence()] = None
        else:
            shapes[name] = (1, *_one_shape(name, [shape[1:] for shape in those]))
            said[f"Input {name} has the fixed shape {list(shapes[name])}."] = None
    return shapes, " ".join(said)


def _one_shape(name: str, shapes: Sequence[Shape]) -> Shape:
    found = sorted(set(shapes))
    if len(found) > 1:
        some = ", ".join(str(list(shape)) for shape in found[:3])
        raise FixingError(
            f"It takes graphs of fixed shapes only; samples of '{name}' have {len(found)} ({some}, ...). Bring the "
            "samples to one shape."
        )
    return found[0]


def fix_shapes(folder: Path, shapes: Mapping[str, Sequence[int]], destination: Path) -> None:
    """Write the graph in `folder` with inputs of these shapes into the folder `destination`.

    What was computed from shapes is folded into constants: hardware of fixed shapes has no operators for it.

    Raises:
        FixingError: The shapes do not fit the graph.
    """
    import onnx_ir

    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination) as scratch:
        model = onnx_ir.load(copy_graph(folder, Path(scratch)))
        for value in model.graph.inputs:
            _fix_input(value, tuple(shapes.get(str(value.name), ())))
        try:
            _fold(model)
        except Exception as error:  # whatever a pass stumbles over, it is about this graph
            raise FixingError(f"The graph cannot be brought to fixed shapes: {error}") from error
        save_graph(model, destination)


def _fold(model: onnx_ir.Model) -> None:
    from onnx_ir.passes.common import RemoveUnusedNodesPass
    from onnxscript import optimizer

    # Symbolic shapes of before would contradict the new ones.
    for node in model.graph.all_nodes():
        for output in node.outputs:
            output.shape = None
    optimizer.optimize(model, onnx_shape_inference=True)
    _plain_gathers(model)
    RemoveUnusedNodesPass()(model)


def _fix_input(value: onnx_ir.Value, shape: tuple[int, ...]) -> None:
    import onnx_ir

    had = list(value.shape.dims) if value.shape is not None else None
    fits = had is None or (
        len(had) == len(shape)
        and all(not isinstance(old, int) or old == new for old, new in zip(had, shape, strict=True))
    )
    if not shape or not fits:
        raise FixingError(f"Input '{value.name}' of the graph is {value.shape}; it cannot be fixed to {list(shape)}.")
    value.shape = onnx_ir.Shape(shape)


def _plain_gathers(model: onnx_ir.Model) -> None:
    """Replace each GatherND that reads all its data in order by a Reshape.

    Exporters index attention masks so; with fixed shapes nothing is gathered, and QNN has no GatherND of booleans.
    """
    import numpy as np
    import onnx_ir

    for node in list(model.graph):
        if node.op_type != "GatherND" or not _reads_in_order(node):
            continue
        output = node.outputs[0]
        shape = onnx_ir.tensor(np.array(output.shape.numpy(), dtype=np.int64), name=f"{output.name}_shape")  # type: ignore[union-attr] # known: `_reads_in_order`
        target = onnx_ir.Value(name=shape.name, const_value=shape)
        model.graph.register_initializer(target)
        reshape = onnx_ir.node("Reshape", [node.inputs[0], target], name=f"{node.name}_reshape")
        made = reshape.outputs[0]
        made.shape, made.type, made.name = output.shape, output.type, f"{output.name}_reshaped"
        model.graph.insert_before(node, reshape)
        output.replace_all_uses_with(made, replace_graph_outputs=True)
        model.graph.remove(node, safe=True)


def _reads_in_order(node: Any) -> bool:
    import numpy as np

    data, indices = node.inputs
    batch = node.attributes.get_int("batch_dims", 0)
    if batch or indices.const_value is None or data.shape is None or node.outputs[0].shape is None:
        return False
    if not data.shape.is_static() or not node.outputs[0].shape.is_static():
        return False
    places = indices.const_value.numpy()
    leading = tuple(data.shape.numpy())[: places.shape[-1]]
    if bool((places < 0).any()):
        return False
    flat = np.ravel_multi_index(tuple(np.moveaxis(places, -1, 0)), leading).ravel()
    return flat.size == math.prod(leading) and bool((flat == np.arange(flat.size)).all())
