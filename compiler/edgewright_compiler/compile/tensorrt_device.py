"""Engines of full TensorRT: it times kernels while it builds, so it builds on the device, by `edgewright finish`.

What is put into the package here is what it is built from: the strongly typed graph, and the shapes.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from edgewright_compiler.compile import CompileFacts, CompileRequest
from edgewright_compiler.compile.tensorrt_shapes import optimization_profile
from edgewright_compiler.graphs.exported import GRAPH_FILE, WEIGHTS_FOLDER
from edgewright_runtime.package_files import folder_bytes
from edgewright_runtime.plans import profile_option
from edgewright_runtime.trt import PROFILE_KEY

STATIC_SHAPES = False
# Nothing is compiled here.
TOOLS = ()

NOTE = "'edgewright finish' builds and judges it on the device."


def compile_engine(request: CompileRequest, destination: Path) -> CompileFacts:
    """Keep the graph as the engine, with its weights beside it: the device itself builds the plan."""
    profile = optimization_profile(request.shapes, request.text_limits)
    shutil.copyfile(request.graph / GRAPH_FILE, destination / GRAPH_FILE)
    if (request.graph / WEIGHTS_FOLDER).is_dir():
        shutil.copytree(request.graph / WEIGHTS_FOLDER, destination / WEIGHTS_FOLDER)
    size = folder_bytes(destination)
    return CompileFacts(
        nodes={},
        reproducible=True,
        seconds=0.0,
        size_bytes=size,
        notes=(NOTE,),
        options={PROFILE_KEY: profile_option(profile)},
    )
