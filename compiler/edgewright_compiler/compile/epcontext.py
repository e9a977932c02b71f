"""EPContext engines: a provider's compiled program inside an ONNX graph, by `onnxruntime.ModelCompiler`.

The machine that compiles needs the provider's compiler and not its hardware: the options say what to compile for.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from edgewright_benchmarks.child_process import ending, last_words
from edgewright_compiler.compile import CompileError, CompileFacts, CompileRequest
from edgewright_compiler.compile._process import LOG, MADE, REQUEST, RESPONSE, SOURCE, ProcessRequest, ProcessResponse
from edgewright_compiler.graphs.exported import GRAPH_FILE, copy_graph
from edgewright_runtime.package_files import file_digest
from edgewright_runtime.providers import PLUGINS
from edgewright_runtime.providers import provider as provider_module
from edgewright_targets import InputError
from edgewright_targets.record import read_record, write_record

# A program has the shapes that it was compiled for.
STATIC_SHAPES = True
TOOLS = ("onnxruntime", *PLUGINS)

_COMMAND = (sys.executable, "-P", "-m", "edgewright_compiler.compile._process")
# Large graphs take the NPU's compiler minutes.
_TIMEOUT_SECONDS = 3600
# A compilation is repeated to know whether its bytes come again, unless that would take longer than it is worth.
_SECONDS_TO_REPEAT = 120
_FALLBACK_REFUSED = "fallback to CPU EP has been explicitly disabled"


def compile_engine(request: CompileRequest, destination: Path) -> CompileFacts:
    """Compile into one file in `destination`: the provider's program is embedded in the graph."""
    provider = request.provider
    module = provider_module(provider)
    # Compiling needs what emulating needs; where the hardware itself is, there is no emulator and no need of one.
    reason = module.emulator_unavailable()
    if reason is not None and module.unavailable() is not None:
        raise CompileError(f"{provider} cannot compile here. {reason}")
    asked = ProcessRequest(operation="compile", provider=provider, provider_options=dict(request.provider_options))
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination) as place:
        first = Path(place, "first")
        source = copy_graph(request.graph, first / SOURCE.parent)
        start = time.perf_counter()
        try:
            made = _compile(first, asked)
            nodes = {provider: _node_count(source)}
        except CompileError as error:
            if _FALLBACK_REFUSED not in str(error):
                raise
            nodes = _partial(first, asked, allow_partial=request.allow_partial)
            start = time.perf_counter()
            asked = replace(asked, fallback=True)
            made = _compile(first, asked)
        seconds = time.perf_counter() - start
        reproducible = None
        if seconds < _SECONDS_TO_REPEAT:
            second = Path(place, "second")
            copy_graph(request.graph, second / SOURCE.parent)
            reproducible = file_digest(_compile(second, asked)) == file_digest(made)
        log = (first / LOG).read_text(encoding="utf-8")
        made.rename(destination / GRAPH_FILE)
    size = (destination / GRAPH_FILE).stat().st_size
    return CompileFacts(
        nodes=nodes,
        reproducible=reproducible,
        seconds=seconds,
        size_bytes=size,
        log=log,
        notes=(_assigned(provider, nodes),),
    )


def _assigned(provider: str, nodes: Mapping[str, int]) -> str:
    taken, total = nodes.get(provider, 0), sum(nodes.values())
    if taken == total:
        return f"{provider} runs all {total:,} nodes of the graph."
    return f"{provider} runs {taken:,} of {total:,} nodes of the graph ({taken / total:.1%}), the CPU the others."


def _compile(place: Path, request: ProcessRequest) -> Path:
    _ask(place, request)
    made = place / MADE
    if not made.exists():
        # ModelCompiler writes nothing and says nothing where a provider takes not one node.
        raise CompileError(f"{request.provider} can run no node of the graph.")
    return made


def _ask(place: Path, request: ProcessRequest) -> ProcessResponse:
    """The response of a process of its own; CompileError where the provider refused the graph or the process ended."""
    (place / REQUEST).write_text(json.dumps(write_record(request)), encoding="utf-8")
    (place / RESPONSE).unlink(missing_ok=True)
    # It runs in another folder, where relative entries of the path would mean something else.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)}  # noqa: PTH100
    try:
        done = subprocess.run(
            _COMMAND, cwd=place, env=environment, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CompileError(
            f"{request.provider} did not finish compiling within {_TIMEOUT_SECONDS} seconds and was stopped."
        ) from error
    printed = (done.stdout + done.stderr).decode(errors="replace")
    (place / LOG).write_text(printed, encoding="utf-8")
    if done.returncode == -signal.SIGKILL:
        # The system's doing and not the graph's: it must not be kept as a finding about the graph.
        raise InputError(
            f"The compiler of {request.provider} was killed, probably because memory ran out.",
            hint="Build again with more memory free.",
        )
    if not (place / RESPONSE).exists():
        ended = f"The compiler of {request.provider} ended {ending(done.returncode)}."
        raise CompileError(f"{ended}{last_words(printed.strip().splitlines())}")
    response = read_record(ProcessResponse, json.loads((place / RESPONSE).read_text(encoding="utf-8")), RESPONSE)
    if response.error is not None:
        raise CompileError(f"{request.provider} refused the graph: {response.error}")
    return response


def _node_count(source: Path) -> int:
    import onnx

    return len(onnx.load(source, load_external_data=False).graph.node)


def _partial(place: Path, request: ProcessRequest, *, allow_partial: bool) -> dict[str, int]:
    """Provider to number of nodes it runs, where they are several; an error with the share unless that is allowed."""
    found = _ask(place, replace(request, operation="assignment")).assignment
    nodes = {name: len(types) for name, types in found.items()}
    if allow_partial:
        return nodes
    provider = request.provider
    taken, total = nodes.get(provider, 0), sum(nodes.values())
    left = Counter(op_type for name, types in found.items() if name != provider for op_type in types)
    listing = ", ".join(f"{count} {op_type}" for op_type, count in left.most_common(5))
    raise CompileError(
        f"{provider} runs {taken} of {total} nodes of the graph ({taken / total:.1%}). The CPU runs: {listing}."
    )
