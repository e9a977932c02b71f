"""Inputs of ONNX files as they are, where the file itself says them in an old or in a wrong way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir


def drop_constant_inputs(model: onnx_ir.Model) -> set[str]:
    """Take weights out of the inputs, and give their names.

    Before IR version 4 every weight had to be one, with a value to fall back on.
    """
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    inputs = model.graph.inputs
    kept = [value for value in inputs if value.name not in model.graph.initializers]
    dropped = {str(value.name) for value in inputs} - {str(value.name) for value in kept}
    if dropped:
        inputs.clear()
        inputs.extend(kept)
        # In the version of the file they would still have to be inputs.
        model.ir_version = max(model.ir_version or 0, 4)
        # Weights that nothing reads are of that time as well; ONNX Runtime warns about each.
        RemoveUnusedNodesPass()(model)
    return dropped


def free_picture_sizes(model: onnx_ir.Model) -> bool:
    """Forget the fixed sizes of the input of pictures and all that was inferred from them; says whether there were any.

    Some exporters write the sizes of their example: a graph of convolutions takes others all the same. Whether this one
    does is shown when it is run.
    """
    import onnx_ir

    (pictures,) = model.graph.inputs
    if pictures.shape is None or not any(isinstance(size, int) for size in (pictures.shape[0], *pictures.shape[2:])):
        return False
    pictures.shape = onnx_ir.Shape(["batch", pictures.shape[1], "height", "width"])
    for value in model.graph.outputs:
        if value.shape is not None:
            axes = [size if axis == 1 else f"{value.name}_{axis}" for axis, size in enumerate(value.shape)]
            value.shape = onnx_ir.Shape(axes)
    given = set(model.graph.outputs)
    for node in model.graph.all_nodes():
        for value in node.outputs:
            if value not in given:
                value.shape = None
    return True
