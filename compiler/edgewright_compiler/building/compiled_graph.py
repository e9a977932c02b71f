"""A component's graph compiled ahead of time; a stage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.building.stage import Stage
from edgewright_compiler.compile import CompileFacts, CompileRequest, compiler
from edgewright_compiler.graphs.exported import tree_digest
from edgewright_compiler.graphs.feed_shapes import FeedShapes
from edgewright_runtime.providers import provider
from edgewright_targets import Candidate
from edgewright_targets.record import read_record, write_record

_FACTS = "facts.json"
# The engine alone is in a folder of its own, so that nothing else is taken for a part of it.
_ENGINE = "engine"


@dataclass(frozen=True, kw_only=True)
class _CompileKey:
    # The reason of a failure names it.
    component: str
    graph: str
    kind: str
    provider: str
    options: dict[str, str]
    shapes: FeedShapes
    allow_partial: bool
    text_limits: dict[str, int]
    tools: dict[str, str]


def compiled(graphs: Graphs, component: str, graph: Path, candidate: Candidate) -> tuple[Path, CompileFacts]:
    """Folder of what is made ahead of time, and what its compiler said.

    Args:
        graphs: The float graphs.
        component: Which of them.
        graph: Folder of the component's graph in the precision of the candidate.
        candidate: For what it is compiled.

    Raises:
        CandidateError: The compiler does not take the graph as asked.
    """
    kind = compiler(candidate.engine)
    options = provider(candidate.provider).options(candidate.provider_options, graphs.job.threads_of(candidate))
    shapes, limits = graphs.shapes()[component], graphs.exported.model.text_limits(component)

    def make(place: Path) -> None:
        request = CompileRequest(
            graph=graph,
            provider=candidate.provider,
            provider_options=options,
            shapes=shapes,
            allow_partial=candidate.allow_partial,
            text_limits=limits,
        )
        (place / _ENGINE).mkdir()
        with graphs.naming(component):
            facts = kind.compile_engine(request, place / _ENGINE)
        (place / _FACTS).write_text(json.dumps(write_record(facts)), encoding="utf-8")

    key = _CompileKey(
        component=component,
        graph=tree_digest(graph),
        kind=candidate.engine,
        provider=candidate.provider,
        options=options,
        shapes=shapes,
        allow_partial=candidate.allow_partial,
        text_limits=limits,
        tools=installed_versions(kind.TOOLS),
    )
    folder = graphs.stages.kept(Stage("compile", key, f"Compiled {graphs.named(component, candidate.name)}"), make)
    data = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    return folder / _ENGINE, read_record(CompileFacts, data, str(folder / _FACTS))
