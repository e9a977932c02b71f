"""What to allow an engine of another precision that cannot run here, seen on this machine's processor; a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.candidate_graphs import GRAPH_TOOLS, Graphs
from edgewright_compiler.building.stage import CandidateError, Stage
from edgewright_compiler.graphs.exported import tree_digest
from edgewright_compiler.graphs.precision_difference import PrecisionDifference, differences, tolerance_for
from edgewright_runtime.likeness import Likeness, likeness_of


@dataclass(frozen=True, kw_only=True)
class _ReferenceKey:
    exported: str
    graphs: dict[str, str]
    feeds: str
    tools: dict[str, str]


def precision_tolerance(float_graphs: Graphs, graphs: Mapping[str, Path]) -> tuple[float, str]:
    """What to allow an engine of `graphs`, and a sentence; see `edgewright_compiler.graphs.precision_difference`.

    Args:
        float_graphs: The graphs in float.
        graphs: Component to the folder of the same graph in another precision.

    Raises:
        CandidateError: The precision alone changes the answers of a classifier more than the budget allows.
    """
    alike = _likeness(float_graphs)
    found = precision_change(float_graphs, graphs)
    changed, samples, budget = found.changed, found.samples, float_graphs.job.options.max_drop
    if changed and changed / samples > budget:
        raise CandidateError(
            f"The precision alone changes the predictions of {changed} of {samples} calibration "
            f"samples ({changed / samples:.1%}, the budget is {budget:.1%}), computed by ONNX Runtime's CPU."
        )
    allowed = tolerance_for(found.largest, alike.floor)
    if found.refused:
        return allowed, f"What its precision costs is not known, so it must answer as float does: {found.refused}"
    return allowed, (
        f"On the device its outputs may differ from float by {allowed:.3g}: computed by ONNX Runtime's CPU in this "
        f"precision, the graph's differed by {found.largest:.2g} on {samples} calibration samples."
    )


def _likeness(float_graphs: Graphs) -> Likeness:
    alike = likeness_of(float_graphs.exported.model.pipeline)
    # The outputs of a part are not an answer.
    return replace(alike, chooses=False) if len(float_graphs.components) > 1 else alike


def precision_change(float_graphs: Graphs, graphs: Mapping[str, Path]) -> PrecisionDifference:
    """What the precision of `graphs` alone changes on calibration samples, on this machine's processor; a stage.

    Args:
        float_graphs: The graphs in float.
        graphs: Component to the folder of the same graph in another precision.
    """
    exported, feeds = float_graphs.exported, float_graphs.feeds
    alike = _likeness(float_graphs)

    def make() -> PrecisionDifference:
        pairs = {name: (exported.path / name, graphs[name], feeds.read(exported, name)) for name in exported.components}
        return differences(pairs, alike)

    key = _ReferenceKey(
        exported=exported.digest,
        graphs={name: tree_digest(graph) for name, graph in graphs.items()},
        feeds=feeds.digest(exported),
        tools=installed_versions(GRAPH_TOOLS),
    )
    stage = Stage("reference", key, "Compared the precision with float")
    return float_graphs.stages.record(stage, PrecisionDifference, make)
