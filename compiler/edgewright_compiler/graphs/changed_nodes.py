"""Which nodes of a graph answer otherwise once ONNX Runtime's optimizations rewrote it."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.graphs.exported import copy_graph
from edgewright_runtime.gaps import largest_gap, output_size

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

# Nodes that are named; the others follow from them more often than not.
_SHOWN = 3
# Nodes that only turn numbers into another type or order.
_TURNING = ("QuantizeLinear", "DequantizeLinear", "Cast", "ReorderInput", "ReorderOutput")
# The last one also lays channels in blocks, and few values keep their form.
_LEVELS = ("ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL")


def changed_nodes(folder: Path, feeds: Arrays, allowed: float) -> list[str]:
    """The first nodes of the optimized graph whose output differs from the graph as it is written, in words.

    Both run without optimizations and give all values that they have in common. Where a session refuses that, nothing
    is named.

    Args:
        folder: Of the graph.
        feeds: What it is given.
        allowed: Largest difference, as a share of the size of a value, that is rounding.
    """
    with tempfile.TemporaryDirectory() as scratch:
        written = copy_graph(folder, Path(scratch) / "written")
        for level in _LEVELS:
            try:
                found = _changed(written, level, feeds, allowed)
            except Exception:  # noqa: BLE001, S112 - whatever a session throws: the difference itself is known all the same
                continue
            if found:
                return found
    return []


def _changed(written: Path, level: str, feeds: Arrays, allowed: float) -> list[str]:
    import onnx_ir

    made = written.with_name(f"{level}.onnx")
    _optimize(written, level, made)
    before, after = onnx_ir.load(written), onnx_ir.load(made)
    shared = _made_by(before).keys() & _made_by(after).keys()
    return _causes(after, _values(before, shared, written, feeds), _values(after, shared, made, feeds), allowed)


def _optimize(graph: Path, level: str, made: Path) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(made)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", f"{made.stem}.bin")
    onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def _made_by(model: onnx_ir.Model) -> dict[str, onnx_ir.Node]:
    return {value.name: node for node in model.graph for value in node.outputs if value.name}


def _values(model: onnx_ir.Model, names: Collection[str], path: Path, feeds: Arrays) -> Arrays:
    import onnx_ir
    import onnxruntime

    from edgewright_compiler.graphs.passes.contract import edit
    from edgewright_compiler.graphs.passes.interface import GiveValues

    edit(model, GiveValues(names))
    whole = path.with_name(f"{path.stem}-whole.onnx")
    onnx_ir.save(model, whole)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(whole), options, providers=["CPUExecutionProvider"])
    wanted = [entry.name for entry in session.get_outputs()]
    return dict(zip(wanted, session.run(wanted, feeds), strict=True))


def largest_share(made: Arrays, expected: Arrays) -> float:
    """The largest difference of any output as a share of its size; infinity where shapes or odd values differ."""
    gaps = (largest_gap(made[name], reference) / output_size(reference) for name, reference in expected.items())
    return max(gaps, default=0.0)


def _causes(model: onnx_ir.Model, before: Arrays, after: Arrays, allowed: float) -> list[str]:
    """Nodes, in the order in which they run, that differ where nothing that they are given does."""
    changed: set[Any] = set()
    found = []
    for node in model.graph:
        names = [value.name for value in node.outputs if value.name in before and value.name in after]
        apart = any(largest_share({"": after[name]}, {"": before[name]}) > allowed for name in names)
        behind = any(value in changed for value in node.inputs if value is not None)
        if apart and not behind:
            source = _source(node)
            found.append(f"{source.op_type} '{source.name or source.outputs[0].name}'")
        if apart or (behind and not names):
            changed.update(node.outputs)
    return found[:_SHOWN]


def _source(node: onnx_ir.Node) -> onnx_ir.Node:
    """The node whose numbers it is that this one only turns into others."""
    while node.op_type in _TURNING and node.inputs[0] is not None and (made := node.inputs[0].producer()) is not None:
        node = made
    return node
