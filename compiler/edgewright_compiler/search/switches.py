"""A graph in which each group can be run in float or in its low precision, by a switch.

One session then answers for any choice of groups, and no graph is written anew for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_compiler.search.groups import LowForm

# Names of what is added begin so; no exporter writes such names.
_PREFIX = "edgewright:switch/"


def switch(index: int) -> str:
    """Name of the input that runs the group with this index in its low precision where it is true."""
    return f"{_PREFIX}{index}"


def add_switches(model: onnx_ir.Model, low: onnx_ir.Model, forms: Sequence[LowForm]) -> None:
    """Put each group of a float graph into an `If`: what it was, or its low form. The graph is edited in place.

    Args:
        model: The float graph, from which the groups were found.
        low: The quantized graph; it is left as it is.
        forms: The groups.
    """
    import onnx_ir

    for domain, version in low.opset_imports.items():
        model.graph.opset_imports.setdefault(domain, version)
    weights: dict[str, onnx_ir.Value] = {}
    for index, form in enumerate(forms):
        asked = onnx_ir.val(switch(index), dtype=onnx_ir.DataType.BOOL, shape=[])
        model.graph.inputs.append(asked)
        last = form.float_nodes[-1].outputs[0]
        outside = {value.name: value for value in _outer(model)}
        choice = onnx_ir.Node(
            "",
            "If",
            [asked],
            {
                "then_branch": onnx_ir.AttrGraph("then_branch", _low_branch(form, index, outside, weights, model)),
                "else_branch": onnx_ir.AttrGraph(
                    "else_branch", _branch(form.float_nodes, last, f"{_PREFIX}{index}/float/", {})
                ),
            },
            num_outputs=1,
            name=f"{_PREFIX}{index}/if",
        )
        _replace(model.graph, form, choice)


def _low_branch(
    form: LowForm,
    index: int,
    outside: dict[str | None, onnx_ir.Value],
    weights: dict[str, onnx_ir.Value],
    model: onnx_ir.Model,
) -> onnx_ir.Graph:
    """The low nodes over values of the float graph, and over weights of the quantized one, which are added to it."""
    taken = {}
    made = {value for node in form.low_nodes for value in node.outputs}
    for value in (value for node in form.low_nodes for value in node.inputs):
        if value is None or value in made or value in taken:
            continue
        if value.is_initializer():
            taken[value] = _weight(value, weights, model)
        else:
            taken[value] = outside[value.name]
    return _branch(form.low_nodes, form.output, f"{_PREFIX}{index}/low/", taken)


def _weight(value: onnx_ir.Value, weights: dict[str, onnx_ir.Value], model: onnx_ir.Model) -> onnx_ir.Value:
    import onnx_ir

    name = f"{_PREFIX}{value.name}"
    if name not in weights:
        copied = onnx_ir.Value(name=name, shape=value.shape, type=value.type, const_value=value.const_value)
        model.graph.register_initializer(copied)
        weights[name] = copied
    return weights[name]


def _branch(
    nodes: Iterable[onnx_ir.Node],
    output: onnx_ir.Value,
    prefix: str,
    taken: dict[onnx_ir.Value, onnx_ir.Value],
) -> onnx_ir.Graph:
    """Copies of some nodes as a graph without inputs: what they take from outside they name."""
    import onnx_ir

    values = dict(taken)
    copies = []
    for node in nodes:
        outputs = []
        for value in node.outputs:
            values[value] = onnx_ir.Value(name=f"{prefix}{value.name}", shape=value.shape, type=value.type)
            outputs.append(values[value])
        copies.append(
            onnx_ir.Node(
                node.domain,
                node.op_type,
                [None if value is None else values.get(value, value) for value in node.inputs],
                list(node.attributes.values()),
                overload=node.overload,
                outputs=outputs,
                name=f"{prefix}{node.name}",
            )
        )
    return onnx_ir.Graph([], [values[output]], nodes=copies, name=f"{prefix}graph")


def _outer(model: onnx_ir.Model) -> Iterable[onnx_ir.Value]:
    yield from model.graph.inputs
    yield from model.graph.initializers.values()
    for node in model.graph:
        yield from node.outputs


def _replace(graph: onnx_ir.Graph, form: LowForm, choice: onnx_ir.Node) -> None:
    """Put the choice where the last node of a group was, under the name of what that gave."""
    last = form.float_nodes[-1].outputs[0]
    given = choice.outputs[0]
    name, given.shape, given.type = last.name, last.shape, last.type
    graph.insert_after(form.float_nodes[-1], choice)
    last.replace_all_uses_with(given, replace_graph_outputs=True)
    graph.remove(list(form.float_nodes), safe=True)
    given.name = name
