"""What stays in float in the graphs of an engine because of what it is, for the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from edgewright_benchmarks.engine_result import FloatNodes
from edgewright_compiler.graphs.float_groups.find import FloatOperator
from edgewright_compiler.graphs.low_precision import is_low

if TYPE_CHECKING:
    import onnx_ir

# Names of a group that the evidence holds, and characters of each. A detector has some hundred nodes of one group.
_NAMES = 20
_CHARACTERS = 100


def kept_in_float(operators: Sequence[FloatOperator], model: onnx_ir.Model, *, half: bool) -> Iterator[FloatOperator]:
    """Those that are in the graph of an engine, and compute in float there.

    Args:
        operators: What the recipe leaves in float.
        model: The graph that was made.
        half: Its low precision is floats of 16 bits.
    """
    there = {node.name: node for node in model.graph.all_nodes()}
    for operator in operators:
        node = there.get(operator.node)
        if node is not None and node.op_type == operator.operator and not is_low(node, half=half):
            yield operator


def float_nodes(kept: Mapping[str, Sequence[FloatOperator]]) -> tuple[FloatNodes, ...]:
    """The groups, with how many nodes of which types they are, and the names of the first.

    Args:
        kept: Component to what stays in float in its graph.
    """
    found = [(component, operator) for component, operators in kept.items() for operator in operators]
    groups = dict.fromkeys(operator.group for _, operator in found)
    several = len(kept) > 1
    made = []
    for group in groups:
        own = [(component, operator) for component, operator in found if operator.group == group]
        names = [f"{component}/{operator.node}" if several else operator.node for component, operator in own[:_NAMES]]
        made.append(
            FloatNodes(
                group=group,
                operators=dict(Counter(operator.operator for _, operator in own).most_common()),
                reasons=tuple(dict.fromkeys(operator.reason for _, operator in own)),
                names=tuple(name if len(name) <= _CHARACTERS else f"{name[: _CHARACTERS - 3]}..." for name in names),
            )
        )
    return tuple(made)
