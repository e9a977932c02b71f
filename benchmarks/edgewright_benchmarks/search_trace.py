"""How a search found the engine that ships: what was tried and why, and which nodes stayed in float."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# finished: nothing more was worth trying; time, engines: the bound was reached; interrupted: a person ended it.
Ended = Literal["finished", "time", "engines", "interrupted"]
# slower: it takes longer in the low precision; accuracy: it costs too much; no gain: as fast in float.
FloatReason = Literal["slower", "accuracy", "no gain"]


@dataclass(frozen=True, kw_only=True)
class TriedEngine:
    """One engine that a search tried.

    Attributes:
        name: Of the engine, as in `Result.engines`.
        parent: Name of the engine that it was made from by a change; empty where it was made from nothing.
        why: Why it was tried, in one sentence.
        seconds: What it took to make and to measure it.
    """

    name: str
    parent: str
    why: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class FloatNode:
    """A node that stayed in float in the engine that ships, while others of its kind did not.

    Attributes:
        node: Its name in the graph.
        operator: Its type, such as `Conv`.
        component: The graph that it is in; of most models `model`.
        reason: Why.
        cost_seconds: What it takes in the low precision beyond float, of one call; negative where it would be faster;
            None where it was not measured.
        error: What its quantization alone does to the outputs, relative to their size; None where it was not measured.
    """

    node: str
    operator: str
    component: str
    reason: FloatReason
    cost_seconds: float | None = None
    error: float | None = None


@dataclass(frozen=True, kw_only=True)
class SearchTrace:
    """A search, from the first engine to the one that ships.

    Attributes:
        seconds: What the search took, that of parts that were kept from before included.
        bound: As it was asked: `10m`, `40 engines`.
        ended: Why it ended.
        tried: All engines that were tried, in their order.
        path: Names of engines from the first to the winner, each made from the one before it.
        float_nodes: Nodes of the winner that stayed in float; empty where all did, or none.
    """

    seconds: float
    bound: str
    ended: Ended
    tried: tuple[TriedEngine, ...] = ()
    path: tuple[str, ...] = ()
    float_nodes: tuple[FloatNode, ...] = ()
