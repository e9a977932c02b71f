"""What stays in float in engines of a lower precision because of what it is, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgewright_benchmarks.engine_result import EngineResult, FloatNodes
from edgewright_benchmarks.result import Result
from edgewright_targets.recipe import FloatGroup

TITLE: Final = "In float because of what it is"
_GROUPS: Final[dict[FloatGroup, str]] = {
    "recurrent": "recurrent layers",
    "durations": "durations",
    "decoding": "decoding",
    "grids": "grids",
}


@dataclass(frozen=True)
class FloatRow:
    """One group of nodes of the engines that have the same.

    Attributes:
        engines: These engines.
        what: The group, with the number of nodes and their operators.
        why: The reasons, as a sentence.
        names: Names of nodes.
        more: The end of their list where some have no name here, such as ` and 2 more`; else empty.
    """

    engines: tuple[EngineResult, ...]
    what: str
    why: str
    names: tuple[str, ...]
    more: str


def float_rows(result: Result, names: int | None = None) -> list[FloatRow]:
    """The groups of nodes that stay in float, each once for all engines that have it.

    Args:
        result: Of a build or a bench.
        names: How many names of nodes; all that the evidence has where it is None.
    """
    alike: dict[str, list[tuple[EngineResult, FloatNodes]]] = {}
    for engine in result.engines:
        for nodes in engine.float_nodes:
            alike.setdefault(repr(nodes), []).append((engine, nodes))
    return [_row(tuple(engine for engine, _ in found), found[0][1], names) for found in alike.values()]


def _row(engines: tuple[EngineResult, ...], nodes: FloatNodes, names: int | None) -> FloatRow:
    operators = ", ".join(f"{count:,} {name}" for name, count in nodes.operators.items())
    shown = nodes.names[:names]
    more = nodes.count - len(shown)
    return FloatRow(
        engines=engines,
        what=f"{_GROUPS[nodes.group]}, {nodes.count:,} {'node' if nodes.count == 1 else 'nodes'} ({operators})",
        why=f"Reason: {'; or '.join(nodes.reasons)}.",
        names=shown,
        more=f" and {more:,} more" if more else "",
    )
