"""Graphs with floats of 16 bits, by ONNX Runtime's converter; what counts or says where stays in 32 bits.

float16 has whole numbers up to 2,048 alone, and between 512 and 1,024 only every half: a sum of durations or a place in
a picture needs more. bfloat16 has them up to 256.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.graphs.exported import GRAPH_FILE
from edgewright_compiler.graphs.float_groups.find import float_operators
from edgewright_targets import Recipe

if TYPE_CHECKING:
    import onnx_ir

# A file beside the graph.
_INFERRED = "inferred.onnx"


def in_half_floats(source: Path, recipe: Recipe) -> onnx_ir.Model:
    """The graph in the folder `source` with floats of 16 bits; inputs and outputs keep their types.

    Args:
        source: Each node of the graph has a name of its own.
        recipe: Says which groups stay in 32 bits.
    """
    import onnx_ir
    from onnxruntime.transformers.float16 import convert_float_to_float16

    from edgewright_compiler.graphs.passes.contract import edit
    from edgewright_compiler.graphs.passes.widened import TakeUnrounded

    wide = _wide(source, recipe)
    made = convert_float_to_float16(str(source / GRAPH_FILE), keep_io_types=True, node_block_list=wide)
    model: onnx_ir.Model = onnx_ir.from_proto(made)
    if wide:
        edit(model, TakeUnrounded())
    return model


def _wide(source: Path, recipe: Recipe) -> list[str]:
    """Names of nodes that stay in 32 bits: of those of the recipe's groups, the ones that the converter can convert to.

    It puts conversions around a node whose types it knows, and puts all of them into the top graph.
    """
    import onnx
    import onnx_ir

    model = onnx_ir.load(source / GRAPH_FILE)
    found = {one.node for one in float_operators(model, recipe.wide_groups)}
    if not found:
        return []
    onnx.shape_inference.infer_shapes_path(str(source / GRAPH_FILE), str(source / _INFERRED))
    inferred = onnx_ir.load(source / _INFERRED)
    wide = [node for node in inferred.graph if node.name in found and _is_typed(node)]
    # A constant that is rounded first would be widened too late.
    makers = {value.producer() for node in wide for value in node.inputs if value is not None}
    constants = [node for node in inferred.graph if node in makers and node.op_type == "Constant" and _is_typed(node)]
    return [str(node.name) for node in (*wide, *constants)]


def _is_typed(node: onnx_ir.Node) -> bool:
    values = [value for value in (*node.inputs, *node.outputs) if value is not None and value.name]
    return all(value.dtype is not None for value in values)
