"""What an ONNX file says of its texts and scores: with a config.json beside it, and by the shapes of its graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgewright_compiler.heads import Head, head_of

if TYPE_CHECKING:
    import onnx_ir

_ACTIVATIONS = ("Sigmoid", "Softmax")


def head_of_graph(model: onnx_ir.Model, config: Mapping[str, Any], *, names: int) -> Head:
    """The head of a classifier.

    Args:
        model: Its graph, whose first output is scores.
        config: What config.json beside it says; empty where there is none.
        names: How many class names the user gave.
    """
    output = model.graph.outputs[0]
    node = output.producer()
    activated = node is not None and node.op_type in _ACTIVATIONS
    if not config.get("id2label") and (count := scores_of(model) or names):
        config = {**config, "num_labels": count}
    return head_of(config, names=names, activated=activated)


def scores_of(model: onnx_ir.Model) -> int | None:
    """How many scores a sample gets, where the first output is [samples, scores] and says so."""
    shape = model.graph.outputs[0].shape
    size = shape[1] if shape is not None and len(shape) == 2 else None
    return size if isinstance(size, int) and size > 0 else None


def text_length(model: onnx_ir.Model) -> int | None:
    """Tokens of every text, where the graph takes no other number of them: axis 1 of what it is given."""
    shapes = [value.shape for value in model.graph.inputs]
    sizes = {shape[1] for shape in shapes if shape is not None and len(shape) == 2}
    return next((size for size in sizes if isinstance(size, int) and size > 0), None)
