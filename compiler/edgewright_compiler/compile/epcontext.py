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

_CONTEXT = "EPContext"
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
        _compile(source, provider, provider_options, made)
        seconds = time.perf_counter() - start
        nodes = _nodes(source, made, provider, provider_options)
        _refuse_partial(nodes, provider, allow_partial=allow_partial)
        reproducible = None
        if twice:
            again = Path(scratch) / "again.onnx"
            _compile(source, provider, provider_options, again)
            reproducible = file_digest(again) == file_digest(made)
        made.rename(destination / GRAPH_FILE)
    size = (destination / GRAPH_FILE).stat().st_size
    return CompileFacts({name: len(found) for name, found in nodes.items()}, reproducible, seconds, size)


def _compile(source: Path, provider: str, provider_options: Mapping[str, str], made: Path) -> None:
    import onnxruntime

    options = _session_options(provider, provider_options)
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


def _nodes(
    source: Path, made: Path, provider: str, provider_options: Mapping[str, str]
) -> dict[str, list[tuple[str, str]]]:
    """Provider to the nodes (type, name) of `source` that it runs.

    The compiled graph holds a node for each program and, as they were, those that no program took.
    """
    import onnx_ir
    import onnxruntime

    left = [node for node in onnx_ir.load(made).graph if node.op_type != _CONTEXT]
    if not left:
        return {provider: [(node.op_type, str(node.name)) for node in onnx_ir.load(source).graph]}
    # Only a session over the source graph tells its nodes apart; it compiles once more, and only on this way out.
    session = onnxruntime.InferenceSession(str(source), _session_options(provider, provider_options))
    found: dict[str, list[tuple[str, str]]] = {}
    for part in session.get_provider_graph_assignment_info():
        found.setdefault(part.ep_name, []).extend((node.op_type, node.name) for node in part.get_nodes())
    return found


def _refuse_partial(nodes: Mapping[str, list[tuple[str, str]]], provider: str, *, allow_partial: bool) -> None:
    left = [kind for name, found in nodes.items() if name != provider for kind, _ in found]
    if not left or allow_partial:
        return
    total = sum(len(found) for found in nodes.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(left).most_common(5))
    raise CompileError(
        f"{provider} took {total - len(left)} of {total} nodes of the graph ({1 - len(left) / total:.1%}); "
        f"left to the CPU: {kinds}."
    )
