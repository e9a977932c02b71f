"""Operations of the nodes of a graph for real data: they stand in for times where nothing is timed."""

from __future__ import annotations

import json
import tempfile
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

_Shape = list[int]


def operations(path: Path, model: onnx_ir.Model, feed: Arrays) -> dict[str, float]:
    """Multiplications and additions of each node of the top graph for one feed; nothing where it does not run here.

    A node that is not a product counts one for each value that it gives. The graph is run once, as it is written:
    shapes follow from the data in ways that no inference of shapes knows.

    Args:
        path: The graph in a file.
        model: The same; each node has a name of its own.
        feed: What it is given.
    """
    try:
        kernels = _kernels(path, feed)
    except Exception:  # noqa: BLE001 - whatever ONNX Runtime throws: whoever needs the graph to run says so
        return {}
    nodes = {str(node.name): node for node in model.graph}
    found: dict[str, float] = {}
    for name, given, made in kernels:
        if name in nodes:
            found[name] = found.get(name, 0.0) + _operations(nodes[name], given, made)
    return found


def _kernels(path: Path, feed: Arrays) -> list[tuple[str, list[_Shape], list[_Shape]]]:
    """Each kernel that ran: the name of its node, and the shapes of what it took and gave."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.enable_profiling = True
    options.add_provider("CPUExecutionProvider", {})
    with tempfile.TemporaryDirectory() as place:
        options.profile_file_prefix = str(Path(place, "profile"))
        session = onnxruntime.InferenceSession(str(path), options)
        session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return [
        (
            event["name"].removesuffix("_kernel_time"),
            _shapes(event["args"].get("input_type_shape")),
            _shapes(event["args"].get("output_type_shape")),
        )
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
    ]


def _shapes(listed: Any) -> list[_Shape]:
    """Shapes as the profiler lists them, each beside the type of its values; weights that were packed are left out."""
    return [shape for one in listed or () for shape in one.values()]


def _operations(node: onnx_ir.Node, given: list[_Shape], made: list[_Shape]) -> float:
    values = sum(prod(shape) for shape in made)
    if not given:
        return float(values)
    if node.op_type in ("Conv", "ConvTranspose"):
        weight = node.inputs[1]
        if weight is None or weight.const_value is None:
            return 0.0
        each = prod(weight.const_value.shape.numpy()[1:])
        return 2.0 * each * (values if node.op_type == "Conv" else prod(given[0]))
    if node.op_type in ("Gemm", "MatMul"):
        across = node.op_type == "Gemm" and "transA" in node.attributes and node.attributes["transA"].as_int()
        return 2.0 * values * given[0][-2 if across else -1]
    return float(values)
