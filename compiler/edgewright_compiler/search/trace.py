"""What a search did, for the evidence: the engines that it tried, the path to the winner, and what stayed in float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewright_benchmarks.search_trace import Ended, FloatNode, FloatReason, SearchTrace, TriedEngine
from edgewright_compiler.search.facts import Facts, Group
from edgewright_targets import Candidate

if TYPE_CHECKING:
    from edgewright_compiler.building.job import Job


@dataclass(kw_only=True)
class Try:
    """One engine that was tried.

    Attributes:
        candidate: What it was made from.
        parent: Name of the candidate that was changed for it; empty where it was none.
        why: Why, in one sentence.
        seconds: What it took so far.
        facts: What was known of the groups of its ladder, where it is on one.
        idle: Groups in float that gain nothing.
        raised: Groups in float that hurt.
    """

    candidate: Candidate
    parent: str
    why: str
    seconds: float = 0.0
    facts: Facts | None = None
    idle: tuple[Group, ...] = ()
    raised: tuple[Group, ...] = ()


def search_trace(job: Job, tried: Mapping[str, Try], bound: str, ended: Ended, chosen: str) -> SearchTrace:
    """The trace of a search.

    Args:
        job: Its target has all candidates that were tried.
        tried: Name of a candidate to its try, in their order.
        bound: As it was asked.
        ended: Why it ended.
        chosen: Name of the engine that ships.
    """
    names = {job.engine_name(one.name): one.name for one in job.target.candidates}
    path = [names[chosen]]
    while path[0] in tried and (parent := tried[path[0]].parent):
        path.insert(0, parent)
    return SearchTrace(
        seconds=sum(one.seconds for one in tried.values()),
        bound=bound,
        ended=ended,
        tried=tuple(
            TriedEngine(
                name=job.engine_name(name),
                parent=job.engine_name(one.parent) if one.parent else "",
                why=one.why,
                seconds=one.seconds,
            )
            for name, one in tried.items()
        ),
        path=tuple(job.engine_name(name) for name in path),
        float_nodes=_float_nodes([tried[name] for name in reversed(path) if name in tried]),
    )


def _float_nodes(latest_first: Sequence[Try]) -> tuple[FloatNode, ...]:
    """The nodes in float of the winner, which settings of speed do not change."""
    one = next((one for one in latest_first if one.facts is not None), None)
    if one is None or one.facts is None:
        return ()
    known = {found.group: found for found in one.facts.groups}
    nodes = []
    for group in (*one.idle, *one.raised):
        gain, error = known[group].gain, known[group].error
        reason: FloatReason = "slower" if gain is not None and gain < 0 else "no gain"
        nodes += [
            FloatNode(
                node=node,
                operator=operator,
                component=group.component,
                reason="accuracy" if group in one.raised else reason,
                cost_seconds=None if gain is None else -gain,
                error=error,
            )
            for node, operator in zip(group.nodes, group.operators, strict=True)
        ]
    return tuple(nodes)
