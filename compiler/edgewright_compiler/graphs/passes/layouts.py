"""Transposes that cancel, found by ONNX Runtime's own optimizer and written back as a graph.

ONNX Runtime moves transposes through a graph whenever it loads one, so a float engine gains nothing by this. What is
quantized does: ranges stand where the exported graph has its nodes, and a transpose between a convolution and its
activation keeps the two from being one operator of integers.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx_ir

from edgewright_compiler.graphs.exported import write_graph
from edgewright_compiler.graphs.passes.contract import every_node

_OPTIMIZED = "optimized.onnx"


def move_transposes(model: onnx_ir.Model) -> int:
    """Give a model the graph that ONNX Runtime makes of it without operators of its own; how many transposes it saves.

    The model stays as it is where that saves none.
    """
    first = left = _transposes(model)
    # Where two cancel, others before them can be moved further.
    while left:
        with tempfile.TemporaryDirectory() as place:
            optimized = _optimized(model, Path(place))
            if _transposes(optimized) >= left:
                break
            # The weights lie in files of this folder.
            onnx_ir.external_data.load_to_model(optimized)
        model.graph, left = optimized.graph, _transposes(optimized)
    return first - left


def _optimized(model: onnx_ir.Model, folder: Path) -> onnx_ir.Model:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Only what is in the ONNX standard: the graph is quantized behind it, and other providers read it.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folder / _OPTIMIZED)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", "optimized.bin")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(write_graph(model, folder)), options, providers=["CPUExecutionProvider"])
    return onnx_ir.load(folder / _OPTIMIZED)


def _transposes(model: onnx_ir.Model) -> int:
    return sum(node.op_type == "Transpose" and node.domain == "" for node in every_node(model))
