"""Does the installed ONNX Runtime know the version and the operators of a graph? Told by the file alone."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_targets import InputError
from edgewright_targets.errors import first_few

if TYPE_CHECKING:
    import onnx_ir

# What every ONNX Runtime that Edgewright takes can read; only above a session is asked.
_KNOWN_IR, _KNOWN_OPSET = 10, 21
_IR_LIMIT = re.compile(r"max supported IR version: (\d+)")
_OPSET_LIMIT = re.compile(r"official support for domain \S+ is till opset (\d+)")
# Names of ONNX's own domain.
_ONNX = ("", "ai.onnx")
# Operators that a message names.
_SHOWN = 3


def refuse_unsupported(path: Path, model: onnx_ir.Model) -> None:
    """Raise where ONNX Runtime cannot load the graph of a file, with all that is in the way.

    Args:
        path: The file, for messages.
        model: Its graph, whose functions are inlined where they can be.

    Raises:
        InputError: Its IR version or an opset is newer than ONNX Runtime, or operators are not known there.
    """
    import onnxruntime

    problems, hints = [], []
    runtime = f"ONNX Runtime {onnxruntime.__version__}"
    ir_version, opset = model.ir_version or 0, _opset(model)
    if ir_version > _KNOWN_IR and (most := _limit(ir_version, 1, _IR_LIMIT)):
        problems.append(f"has IR version {ir_version}, but {runtime} reads versions up to {most}")
        hints.append(f"Save it with IR version {most} or lower: model.ir_version = {most} before onnx.save.")
    if opset > _KNOWN_OPSET and (most := _limit(_KNOWN_IR, opset, _OPSET_LIMIT)):
        problems.append(f"has opset {opset}, but {runtime} supports opsets up to {most}")
        hints.append(f"Export it again for opset {most} or lower (opset_version of torch.onnx.export).")
    elif unknown := _unknown(model, opset):
        problems.append(f"has operators that {runtime} does not know: {first_few(unknown, shown=_SHOWN)}")
        hints.append(
            "Custom operators cannot be put in a package. Export the model with the operators of ONNX, or as "
            "functions that say what they compute."
        )
    if lost := _made_nowhere(model):
        problems.append(f"uses values that nothing computes: {first_few(lost, shown=_SHOWN)}")
        hints.append("The graph was cut out of a larger one, or is damaged. Export it again.")
    if problems:
        raise InputError(f"'{path}' {'; it '.join(problems)}.", hint=" ".join(hints))


def _opset(model: onnx_ir.Model) -> int:
    return max((model.opset_imports.get(name, 0) for name in _ONNX), default=0)


def _limit(ir_version: int, opset: int, says: re.Pattern[str]) -> str:
    """The most that a session says it takes, asked with a graph of one node; empty where it takes these."""
    import onnx_ir
    import onnxruntime

    ends = [onnx_ir.Value(name=name, type=onnx_ir.TensorType(onnx_ir.DataType.FLOAT)) for name in "xy"]
    for value in ends:
        value.shape = onnx_ir.Shape([1])
    node = onnx_ir.Node("", "Relu", [ends[0]], outputs=[ends[1]])
    graph = onnx_ir.Graph([ends[0]], [ends[1]], nodes=[node], opset_imports={"": max(opset, 14)}, name="g")
    text = onnx_ir.to_proto(onnx_ir.Model(graph, ir_version=ir_version)).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(text, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - a provider's own
        found = says.search(str(error))
        return found.group(1) if found else ""
    return ""


def _made_nowhere(model: onnx_ir.Model) -> list[str]:
    """Values that nodes take and nothing provides (no input, weight or output of a node), each with its first node."""
    found: dict[str, str] = {}
    for node in model.graph.all_nodes():
        for value in node.inputs:
            if value is None or value.producer() is not None or value.is_graph_input() or value.is_initializer():
                continue
            found.setdefault(str(value.name), f"'{value.name}' of {node.op_type} (node '{node.name or ''}')")
    return list(found.values())


def _unknown(model: onnx_ir.Model, opset: int) -> list[str]:
    """Operators that no schema and no function of the model says, each with its first node."""
    known = _operators()
    if not known:
        return []
    functions = list(model.functions.values())
    own = {(function.domain, function.name) for function in functions}
    nodes = [*model.graph.all_nodes(), *(node for function in functions for node in function.all_nodes())]
    found: dict[str, str] = {}
    for node in nodes:
        domain = "" if node.domain in _ONNX else node.domain
        since = known.get((domain, node.op_type))
        if (node.domain, node.op_type) in own or (since is not None and (domain or since <= opset)):
            continue
        name = f"{domain}.{node.op_type}" if domain else node.op_type
        later = f", which came with opset {since} and the file is of {opset}" if since is not None else ""
        at = f"node '{node.name}'" if node.name else f"a node without a name that gives '{node.outputs[0].name}'"
        found.setdefault(name, f"{name} ({at}{later})")
    return list(found.values())


@functools.cache
def _operators() -> dict[tuple[str, str], int]:
    """Domain and name of the operators that ONNX Runtime knows, and the opset in which each came."""
    try:
        from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema
    except ImportError:
        # A build without schemas: then a session says it, later.
        return {}
    found: dict[tuple[str, str], int] = {}
    for schema in get_all_operator_schema():
        key: Any = (str(schema.domain), str(schema.name))
        found[key] = min(found.get(key, schema.since_version), schema.since_version)
    return found
