"""One compilation in a process of its own, `python -m edgewright_compiler.compile._process` in the folder of the graph.

A process of its own, because a vendor's compiler may end it, and because QNN counts on from one compilation to the
next: only the first of a process gives the same bytes again. Paths are relative, because names of programs are
made from them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgewright_targets.record import read_record, write_record

REQUEST = "request.json"
RESPONSE = "response.json"
SOURCE = Path("source", "model.onnx")
MADE = "model.onnx"
LOG = "log.txt"
_FATAL = 4


@dataclass(frozen=True, kw_only=True)
class ProcessRequest:
    """What the process is asked for, in `request.json`.

    Attributes:
        operation: Compile the graph, or tell which provider would run which nodes.
        provider: Execution provider to compile for.
        provider_options: Its options; they say which hardware.
        fallback: Nodes that the provider does not take may be left to the CPU; for `compile` only.
    """

    operation: Literal["compile", "assignment"]
    provider: str
    provider_options: dict[str, str]
    fallback: bool = False


@dataclass(frozen=True, kw_only=True)
class ProcessResponse:
    """What the process found, in `response.json`.

    Attributes:
        assignment: Provider to the types of the nodes that it runs; empty unless the request was for it.
        error: Why the provider refused the graph; None where it did not.
    """

    assignment: dict[str, tuple[str, ...]] = field(default_factory=dict)
    error: str | None = None


def _compile(request: ProcessRequest) -> ProcessResponse:
    import onnxruntime

    options = _session_options(request)
    # Not only a check: where fallback is allowed, QNN leaves the quantization of inputs and outputs to the CPU.
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "0" if request.fallback else "1")
    onnxruntime.ModelCompiler(options, str(SOURCE), embed_compiled_data_into_model=True).compile_to_file(MADE)
    return ProcessResponse()


def _assignment(request: ProcessRequest) -> ProcessResponse:
    """Which provider runs which nodes; a compiled graph has a single node for all that a program took."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(SOURCE), _session_options(request))
    found: dict[str, list[str]] = {}
    for part in session.get_provider_graph_assignment_info():
        found.setdefault(part.ep_name, []).extend(node.op_type for node in part.get_nodes())
    return ProcessResponse(assignment={name: tuple(types) for name, types in found.items()})


def _session_options(request: ProcessRequest) -> Any:
    import onnxruntime

    from edgewright_runtime.providers import provider

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    # The provider prints each node that it does not take as an error; who is left is counted by `_assignment`.
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    provider(request.provider).configure(options, request.provider_options)
    return options


def main() -> None:
    """Do what the request says, and write the response beside it."""
    request = read_record(ProcessRequest, json.loads(Path(REQUEST).read_text(encoding="utf-8")), REQUEST)
    operation = {"compile": _compile, "assignment": _assignment}[request.operation]
    try:
        response = operation(request)
    except Exception as error:  # noqa: BLE001 - whatever a provider throws, it refused this graph
        from edgewright_runtime.provider_words import provider_words

        response = ProcessResponse(error=provider_words(error))
    Path(RESPONSE).write_text(json.dumps(write_record(response)), encoding="utf-8")


if __name__ == "__main__":
    main()
