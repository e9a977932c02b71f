"""Plans of TensorRT for RTX: built ahead of time, for GPUs that are not here."""

from __future__ import annotations

import tempfile
from pathlib import Path

from edgewright_compiler.compile import CompileFacts, CompileRequest
from edgewright_compiler.compile._tensorrt_process import LAYERS, LOG
from edgewright_compiler.compile.plan_messages import PlanFacts
from edgewright_compiler.compile.tensorrt_plan import build_plan
from edgewright_compiler.compile.tensorrt_shapes import optimization_profile
from edgewright_compiler.graphs.exported import GRAPH_FILE, WEIGHTS_FOLDER
from edgewright_runtime import trt
from edgewright_runtime.package_files import file_digest
from edgewright_runtime.plans import profile_option
from edgewright_runtime.trt import CAPABILITIES_KEY, PLAN_FILE, PROFILE_KEY, RTX, VERSION_KEY

# A plan takes every shape within its profile.
STATIC_SHAPES = False
TOOLS = ("tensorrt_rtx_cu13_libs", "tensorrt_rtx_cu13_bindings")
# A build is repeated to know whether its bytes come again, unless that would take longer than it is worth.
_SECONDS_TO_REPEAT = 120


def missing() -> str | None:
    """Why nothing can be compiled here, as a sentence with what to do; None if it can."""
    return trt.missing(RTX)


def compile_engine(request: CompileRequest, destination: Path) -> CompileFacts:
    """Build `engine.plan` in `destination`, with the weights in it."""
    profile = optimization_profile(request.shapes, request.text_limits)
    capabilities = request.provider_options[CAPABILITIES_KEY].split()
    files = graph_files(request.graph)
    with tempfile.TemporaryDirectory(dir=destination) as place:
        first, second = Path(place, "first"), Path(place, "second")
        made = build_plan(files, RTX, profile, first, capabilities=capabilities)
        reproducible = None
        if made.seconds < _SECONDS_TO_REPEAT:
            build_plan(files, RTX, profile, second, capabilities=capabilities)
            reproducible = file_digest(first / PLAN_FILE) == file_digest(second / PLAN_FILE)
        log = (first / LOG).read_text(encoding="utf-8")
        detail = (first / LAYERS).read_text(encoding="utf-8")
        (first / PLAN_FILE).rename(destination / PLAN_FILE)
    return CompileFacts(
        # How many of the graph's nodes are in one layer it does not say; it took all of them, or it would have refused.
        nodes={request.provider: made.nodes},
        reproducible=reproducible,
        seconds=made.seconds,
        size_bytes=made.size_bytes,
        file=PLAN_FILE,
        log=log,
        detail=detail,
        notes=(_note(made, capabilities),),
        options={PROFILE_KEY: profile_option(profile), VERSION_KEY: made.version},
    )


def graph_files(graph: Path) -> list[Path]:
    """The graph in the folder `graph`, and the files of its weights."""
    return [graph / GRAPH_FILE, *sorted((graph / WEIGHTS_FOLDER).glob("*"))]


def _note(made: PlanFacts, capabilities: list[str]) -> str:
    return (
        f"{RTX.title} {made.version} built it for compute capability {', '.join(capabilities)}: {made.layers} layers "
        f"in {made.seconds:.1f} s. 'edgewright finish' judges it on the device."
    )
