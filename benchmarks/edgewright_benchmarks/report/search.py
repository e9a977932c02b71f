"""What a report says of a search: every engine that was tried, how the winner was found, and what stayed in float."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.report import words
from edgewright_benchmarks.report.facts import answered, notes, role, status, timed
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.search_trace import Ended, FloatNode, FloatReason, SearchTrace
from edgewright_benchmarks.statistics.bounds import significant, upper

_ENDED: Final[dict[Ended, str]] = {
    "finished": "It ended because nothing more was worth trying.",
    "time": "It ended because the time was over.",
    "engines": "It ended because the number of engines was reached.",
    "interrupted": "It was interrupted. The same build command continues it.",
}
_REASONS: Final[dict[FloatReason, str]] = {
    "slower": "slower in low precision",
    "accuracy": "changes the outputs too much in low precision",
    "no gain": "not faster in low precision",
}


@dataclass(frozen=True, kw_only=True)
class TriedRow:
    """One engine that was tried, in words.

    Attributes:
        order: When it was tried, from 1.
        number: Its number in the whole report.
        name: Its name.
        step: Its place on the path to the winner, from 1; 0 where it is not on it.
        role: One word, for marker and colour.
        status: What became of it.
        why: Why it was tried.
        latency: Against float, with the interval.
        drop: The loss, with its bound.
        notes: Why it was refused or failed, as sentences.
    """

    order: int
    number: int
    name: str
    step: int
    role: str
    status: str
    why: str
    latency: str
    drop: str
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NodeRow:
    """One node that stayed in float, in words; `component` is empty where the model has one graph."""

    node: str
    operator: str
    component: str
    reason: str
    figure: str


@dataclass(frozen=True, kw_only=True)
class SearchView:
    """A search in words.

    Attributes:
        summary: Whole sentences.
        rows: All engines that were tried, in their order.
        nodes: Nodes of the winner that stayed in float.
    """

    summary: str
    rows: tuple[TriedRow, ...]
    nodes: tuple[NodeRow, ...]


def overview(result: Result) -> Result:
    """The result with the engines that a reader compares: of a search, those on the path to the winner.

    Forty engines in one chart hide the few that matter; all of them are in `search_view`.
    """
    if result.search is None:
        return result
    found = {one.name for one in result.search.tried} - {result.baseline, result.chosen, *result.search.path}
    return replace(result, engines=tuple(engine for engine in result.engines if engine.name not in found))


def search_view(result: Result, numbers: Mapping[str, int]) -> SearchView | None:
    """The search of a result in words; None where there was none."""
    trace = result.search
    if trace is None:
        return None
    engines = {engine.name: engine for engine in result.engines}
    steps = {name: step for step, name in enumerate(trace.path, 1)}
    rows = [
        _row(result, engines[one.name], order, one.why, steps.get(one.name, 0), numbers)
        for order, one in enumerate(trace.tried, 1)
        if one.name in engines
    ]
    several = len({node.component for node in trace.float_nodes}) > 1
    nodes = tuple(_node(node, several=several) for node in trace.float_nodes)
    return SearchView(summary=" ".join(search_sentences(trace)), rows=tuple(rows), nodes=nodes)


def _row(result: Result, engine: EngineResult, order: int, why: str, step: int, numbers: Mapping[str, int]) -> TriedRow:
    return TriedRow(
        order=order,
        number=numbers[engine.name],
        name=engine.name,
        step=step,
        role=role(result, engine),
        status=status(result, engine),
        why=why,
        latency=_latency(engine),
        drop=_drop(engine),
        notes=notes(engine),
    )


def _latency(engine: EngineResult) -> str:
    latency = timed(engine)
    if latency is None:
        return words.NOTHING
    ratio = latency.ratio
    return f"{ratio.value:.2f} ({ratio.low:.2f} to {upper(ratio.high, 2):.2f})"


def _drop(engine: EngineResult) -> str:
    accuracy = answered(engine)
    if accuracy is None:
        return words.NOTHING
    return f"{words.points(accuracy.drop.value)}, at most {words.points_bound(accuracy.drop.high)}"


def search_sentences(trace: SearchTrace) -> list[str]:
    """How many engines were tried, how it ended, and what stayed in float, as sentences."""
    count = len(trace.tried)
    tried = "1 engine was" if count == 1 else f"{count:,} engines were"
    sentences = [f"{tried} tried in {duration(trace.seconds)} (limit: {trace.bound}). {_ENDED[trace.ended]}"]
    if len(trace.path) > 1:
        sentences.append(f"The engine that ships was found in {len(trace.path)} steps.")
    if trace.float_nodes:
        counts = Counter(node.reason for node in trace.float_nodes)
        parts = ", ".join(f"{counts[reason]:,} {text}" for reason, text in _REASONS.items() if counts[reason])
        nodes = "1 node stays" if len(trace.float_nodes) == 1 else f"{len(trace.float_nodes):,} nodes stay"
        sentences.append(f"{nodes} in float in it: {parts}.")
    return sentences


def duration(seconds: float) -> str:
    """A time that passed, as people say it.

    >>> duration(42.4), duration(570.0)
    ('42 s', '9 min 30 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _node(node: FloatNode, *, several: bool) -> NodeRow:
    figures = []
    if node.cost_seconds is not None:
        more = "more" if node.cost_seconds >= 0 else "less"
        figures.append(f"{significant(abs(node.cost_seconds) * 1e6)} µs {more} in low precision")
    if node.error is not None:
        figures.append(f"alone it changes the outputs by {significant(node.error * 100, 2)} %")
    return NodeRow(
        node=node.node,
        operator=node.operator,
        component=node.component if several else "",
        reason=_REASONS[node.reason],
        figure=", ".join(figures) or words.NOTHING,
    )


def front(engines: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of points of latency and accuracy those that no other beats in both, from the fastest to the slowest.

    >>> front([(0.5, 0.97), (0.4, 0.96), (0.6, 0.96), (1.0, 0.98)])
    [(0.4, 0.96), (0.5, 0.97), (1.0, 0.98)]
    """
    kept: list[tuple[float, float]] = []
    for latency, share in sorted(engines, key=lambda point: (point[0], -point[1])):
        if not kept or share > kept[-1][1]:
            kept.append((latency, share))
    return kept
