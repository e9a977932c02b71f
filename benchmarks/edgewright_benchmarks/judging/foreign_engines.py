"""Engines whose provider is for other processors: nothing failed, and nothing can be done about it on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_runtime.providers import PROVIDERS, provider

# Instead of the status.
NOT_HERE = "not for this machine"


@dataclass(frozen=True)
class ForeignEngines:
    """Engines that are for other processors, and why, as a sentence."""

    names: tuple[str, ...]
    reason: str


def is_foreign(engine: EngineResult) -> bool:
    """Whether the engine could not run because its provider takes other processors."""
    if engine.status != "failed" or engine.provider not in PROVIDERS:
        return False
    return engine.reasons == (getattr(provider(engine.provider), "OTHER_PROCESSORS", None),)


def foreign_engines(engines: Sequence[EngineResult]) -> list[ForeignEngines]:
    """Those of `engines`, together where they have one reason."""
    names: dict[str, list[str]] = {}
    for engine in filter(is_foreign, engines):
        names.setdefault(engine.reasons[0], []).append(engine.name)
    return [ForeignEngines(tuple(found), reason) for reason, found in names.items()]
