"""Grids: positions where something is looked up, and what computes them.

Eight bits are 256 places in a whole picture.
"""

from __future__ import annotations

import onnx_ir

from edgewright_compiler.graphs.float_groups.constants import is_grid
from edgewright_compiler.graphs.float_groups.flow import Flow
from edgewright_compiler.graphs.passes.weights import constant

_SAMPLERS = frozenset({"AffineGrid", "CropAndResize", "GridSample", "MaxRoiPool", "RoiAlign"})
_WITH_CONSTANT = frozenset({"Add", "Concat", "Div", "Expand", "Mul", "Sub"})
SAMPLER = "it looks values up at computed positions"
POSITIONS = "it computes positions"
CONSTANT = "it takes a constant grid"
SIZE = "it computes a size in floats"


def grids(flow: Flow) -> dict[onnx_ir.Node, str]:
    """The nodes of grids, and why."""
    found: dict[onnx_ir.Node, str] = {}
    # Many nodes may take one constant.
    known: dict[onnx_ir.Value, bool] = {}
    for node in flow.nodes:
        for held in map(constant, node.inputs) if node.op_type in _WITH_CONSTANT else ():
            if held is None:
                continue
            if held.value not in known:
                known[held.value] = is_grid(held.tensor)
            if known[held.value]:
                found[node] = CONSTANT
    for node in flow.nodes:
        if node.op_type in ("Resize", "Upsample"):
            # Itself it only moves pixels. Sizes of whole numbers alone are exact in any precision of floats.
            found |= dict.fromkeys(_positions(flow, node, floats=False), SIZE)
        else:
            found |= dict.fromkeys(_positions(flow, node, floats=True), POSITIONS)
    return found | {node: SAMPLER for node in flow.nodes if node.op_type in _SAMPLERS}


def _positions(flow: Flow, node: onnx_ir.Node, *, floats: bool) -> set[onnx_ir.Node]:
    """The nodes of floats that compute where a node looks, back to the last layers.

    Args:
        flow: Of its graph.
        node: It may take positions.
        floats: Only floats lead there; otherwise whole numbers may lie between.
    """
    first = [edge for edge in flow.given[node] if edge.coordinates and (not floats or flow.floats(edge.value))]
    givers = {edge.giver for edge in first if edge.giver is not None and edge.giver not in flow.layers}
    found = givers | flow.reached(
        givers,
        "givers",
        lambda edge: edge.giver not in flow.layers and (flow.features(edge) or not (floats or flow.floats(edge.value))),
    )
    return {one for one in found if flow.computes(one) and not flow.is_fused(one)}
