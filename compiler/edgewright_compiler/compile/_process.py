"""One compilation in a process of its own, `python -m edgewright_compiler.compile._process` in the folder of the graph.

A process of its own, because a vendor's compiler may end it, and because QNN counts on from one compilation to the
next: only the first of a process gives the same bytes again. Paths are relative, because names of programs are
made from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REQUEST = "request.json"
ANSWER = "answer.json"
SOURCE = Path("source", "model.onnx")
MADE = "model.onnx"
LOG = "log.txt"
_FATAL = 4


def _compile(request: Mapping[str, object]) -> dict[str, object]:
    import onnxruntime

    options = _session_options(request)
    # Not only a check: where fallback is allowed, QNN leaves the quantization of inputs and outputs to the CPU.
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "0" if request["fallback"] else "1")
    onnxruntime.ModelCompiler(options, str(SOURCE), embed_compiled_data_into_model=True).compile_to_file(MADE)
    return {}


def _assignment(request: Mapping[str, object]) -> dict[str, Any]:
    """Provider to the types of the nodes it runs; a compiled graph has a single node for all that a program took."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(SOURCE), _session_options(request))
    found: dict[str, list[str]] = {}
    for part in session.get_provider_graph_assignment_info():
        found.setdefault(part.ep_name, []).extend(node.op_type for node in part.get_nodes())
    return found


def _session_options(request: Mapping[str, Any]) -> Any:
    import onnxruntime

    from edgewright_runtime.providers import provider

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    # The provider prints each node that it does not take as an error; who is left is counted by `_assignment`.
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    provider(request["provider"]).configure(options, request["provider_options"])
    return options


def main() -> None:
    """Do what the request says, and write the answer beside it."""
    request = json.loads(Path(REQUEST).read_text(encoding="utf-8"))
    operation = {"compile": _compile, "assignment": _assignment}[request["op"]]
    try:
        answer: dict[str, object] = {"answer": operation(request)}
    except Exception as error:  # noqa: BLE001 - whatever a provider throws, it refused this graph
        from edgewright_runtime.provider_words import provider_words

        answer = {"error": provider_words(error)}
    Path(ANSWER).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
