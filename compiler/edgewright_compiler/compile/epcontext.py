"""EPContext engines: a provider's compiled program inside an ONNX graph, by `onnxruntime.ModelCompiler`.

The machine that compiles needs the provider's compiler and not its hardware: the options say what to compile for.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgewright_compiler.compile import CompileError, CompileFacts
from edgewright_compiler.component import GRAPH_FILE, copy_graph
from edgewright_runtime.package import file_digest
from edgewright_runtime.providers import provider as provider_module

_FALLBACK_REFUSED = "fallback to CPU EP has been explicitly disabled"
_FATAL = 4


def compile_engine(
    graph: Path,
    provider: str,
    provider_options: Mapping[str, str],
    destination: Path,
    *,
    allow_partial: bool = False,
    twice: bool = False,
) -> CompileFacts:
    """See `Compiler.compile_engine`; the program is embedded, so the engine is one file."""
    module = provider_module(provider)
    # Compiling needs what emulating needs; on the hardware itself the emulator is not there and not needed.
    reason = module.emulator_unavailable() and module.unavailable()
    if reason is not None:
        raise CompileError(f"{provider} cannot compile here. {module.emulator_unavailable()}")
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination) as scratch:
        source = copy_graph(graph, Path(scratch) / "source")
        made = Path(scratch) / GRAPH_FILE
        start = time.perf_counter()
        try:
            _compile(source, provider, provider_options, made, fallback=False)
            nodes = {provider: _node_count(source)}
        except CompileError as error:
            if _FALLBACK_REFUSED not in str(error):
                raise
            nodes = _partial(source, provider, provider_options, allow_partial=allow_partial)
            start = time.perf_counter()
            _compile(source, provider, provider_options, made, fallback=True)
        seconds = time.perf_counter() - start
        reproducible = None
        if twice:
            again = Path(scratch) / "again.onnx"
            _compile(source, provider, provider_options, again, fallback=set(nodes) != {provider})
            reproducible = file_digest(again) == file_digest(made)
        made.rename(destination / GRAPH_FILE)
    size = (destination / GRAPH_FILE).stat().st_size
    return CompileFacts(nodes, reproducible, seconds, size)


def _compile(source: Path, provider: str, provider_options: Mapping[str, str], made: Path, *, fallback: bool) -> None:
    import onnxruntime

    options = _session_options(provider, provider_options)
    # Not only a check: where fallback is allowed, QNN leaves the quantization of inputs and outputs to the CPU.
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "0" if fallback else "1")
    try:
        onnxruntime.ModelCompiler(options, str(source), embed_compiled_data_into_model=True).compile_to_file(str(made))
    except Exception as error:  # whatever a provider throws, it refused this graph
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise CompileError(f"{provider} refused the graph: {(lines or [type(error).__name__])[0]}") from error
    if not made.exists():
        # ModelCompiler writes nothing and says nothing where a provider takes not one node.
        raise CompileError(f"{provider} took no node of the graph.")


def _session_options(provider: str, provider_options: Mapping[str, str]) -> Any:
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    # The provider prints each node that it does not take as an error; who is left is counted below.
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    provider_module(provider).configure(options, provider_options)
    return options


def _node_count(source: Path) -> int:
    import onnx

    return len(onnx.load(source, load_external_data=False).graph.node)


def _partial(
    source: Path, provider: str, provider_options: Mapping[str, str], *, allow_partial: bool
) -> dict[str, int]:
    """Provider to number of nodes it runs, where they are several; an error with the share unless that is allowed."""
    import onnxruntime

    # Only a session over the graph itself tells its nodes apart: a compiled one has a single node for all of them.
    session = onnxruntime.InferenceSession(str(source), _session_options(provider, provider_options))
    found: dict[str, list[str]] = {}
    for part in session.get_provider_graph_assignment_info():
        found.setdefault(part.ep_name, []).extend(node.op_type for node in part.get_nodes())
    nodes = {name: len(kinds) for name, kinds in found.items()}
    if allow_partial:
        return nodes
    total = sum(nodes.values())
    taken = nodes.get(provider, 0)
    left = Counter(kind for name, kinds in found.items() if name != provider for kind in kinds)
    listing = ", ".join(f"{count} {kind}" for kind, count in left.most_common(5))
    raise CompileError(
        f"{provider} took {taken} of {total} nodes of the graph ({taken / total:.1%}); left to the CPU: {listing}."
    )
