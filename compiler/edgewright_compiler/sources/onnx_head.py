"""What an ONNX file says of its texts and scores: with a config.json beside it, and by the shapes of its graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from edgewright_compiler.checkpoints.heads import Head, head_of

if TYPE_CHECKING:
    import onnx_ir

# What makes probabilities of logits, and what lets them be.
_ACTIVATIONS = ("Sigmoid", "Softmax")
_PASSED_ON = ("Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze")


def head_of_graph(model: onnx_ir.Model, config: Mapping[str, object], *, names: int) -> Head:
    """The head of a classifier.

    Args:
        model: Its graph, whose first output is scores.
        config: What config.json beside it says; empty where there is none.
        names: How many class names the user gave.
    """
    table = config.get("id2label")
    named = len(table) if isinstance(table, Mapping) else 0
    # The graph, which runs, knows better how many scores there are.
    if count := scores_of(model):
        config = {**config, "id2label": None, "num_labels": count}
    elif not named:
        config = {**config, "num_labels": names or None}
    return replace(head_of(config, names=names or named), activated=_activation(model))


def _activation(model: onnx_ir.Model) -> str:
    """What makes the first output, as `Head.activated` has it."""
    node = model.graph.outputs[0].producer()
    while node is not None and node.op_type in _PASSED_ON:
        source = node.inputs[0]
        node = source.producer() if source is not None else None
    return node.op_type.lower() if node is not None and node.op_type in _ACTIVATIONS else ""


def scores_of(model: onnx_ir.Model) -> int | None:
    """How many scores a sample or a pixel gets, where the first output has them behind the samples and says so."""
    shape = model.graph.outputs[0].shape
    size = shape[1] if shape is not None and len(shape) in (2, 4) else None
    return size if isinstance(size, int) and size > 0 else None


def text_length(model: onnx_ir.Model) -> int | None:
    """Tokens of every text, where the graph takes no other number of them: axis 1 of what it is given."""
    shapes = [value.shape for value in model.graph.inputs]
    sizes = {shape[1] for shape in shapes if shape is not None and len(shape) == 2}
    return next((size for size in sizes if isinstance(size, int) and size > 0), None)
