"""Tied weights: an embedding that is also the last layer is stored once.

Exporters fold the transposition of the embedding into a second copy, for a small language model the larger part of
its bytes. Here the product takes the embedding through a Transpose again, which ONNX Runtime folds when it loads the
graph. Quantizers know weights by their being constants of the product, so they get the folded form.
"""

from __future__ import annotations

from typing import Any

_SWAPPED = [1, 0]


def tie_weights(model: Any) -> int:
    """Replace second copies of embeddings in `model` (an `onnx_ir.Model`); gives how many there were."""
    import numpy as np
    import onnx_ir

    graph = model.graph
    embeddings = [
        node.inputs[0]
        for node in graph
        if node.op_type == "Gather" and node.inputs[0].is_initializer() and len(node.inputs[0].shape) == 2
    ]
    found = 0
    for node in list(graph):
        weight = node.inputs[1] if node.op_type == "MatMul" else None
        if weight is None or not weight.is_initializer() or len(weight.shape) != 2:
            continue
        for embedding in embeddings:
            same = tuple(embedding.shape) == tuple(reversed(tuple(weight.shape))) and np.array_equal(
                embedding.const_value.numpy().T, weight.const_value.numpy()
            )
            if same:
                turn = onnx_ir.node("Transpose", [embedding], attributes={"perm": _SWAPPED})
                graph.insert_before(node, turn)
                node.replace_input_with(1, turn.outputs[0])
                found += 1
                break
    _remove_unused(model)
    return found


def untie_weights(model: Any) -> int:
    """Fold the transpositions of weights in `model` into weights of their own; gives how many there were."""
    import numpy as np
    import onnx_ir

    graph = model.graph
    found = 0
    for node in list(graph):
        source = node.inputs[0] if node.op_type == "Transpose" else None
        if source is None or not source.is_initializer() or len(source.shape) != 2:
            continue
        name = f"{source.name}_turned"
        array = np.ascontiguousarray(source.const_value.numpy().T)
        folded = onnx_ir.Value(name=name, const_value=onnx_ir.tensor(array, name=name))
        folded.shape, folded.dtype = onnx_ir.Shape(array.shape), source.dtype
        graph.initializers[name] = folded
        node.outputs[0].replace_all_uses_with(folded)
        found += 1
    _remove_unused(model)
    return found


def _remove_unused(model: Any) -> None:
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    RemoveUnusedNodesPass()(model)
