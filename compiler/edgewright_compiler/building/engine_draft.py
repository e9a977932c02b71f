"""An engine before it is in a package: what is known of it while it is made and measured.

It has no files in a package yet, and nobody has judged how far its answers may be from the float engine's. Both are in
the `EngineSpec` that `assemble` makes of it, at the one place where all of it is known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgewright_compiler.building.job import Job
from edgewright_runtime.options import AS_WRITTEN, EXACT_PRODUCTS_KEY, OPTIMIZATION_KEY, THREADS_KEY
from edgewright_runtime.providers import provider
from edgewright_targets import Candidate, Recipe
from edgewright_targets.engine_kinds import ENGINE_KINDS, EngineKind
from edgewright_targets.host import architecture


@dataclass(frozen=True)
class PartDraft:
    """Options of one component: those of ONNX Runtime's session, and those of the provider."""

    session_options: dict[str, str]
    provider_options: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class EngineDraft:
    """What is known of an engine before it is judged; for the fields see `EngineSpec`."""

    name: str
    target: str
    architecture: str
    provider: str
    precision: str
    recipe: Recipe
    component_recipes: dict[str, Recipe]
    pad_to_multiple_of: int
    engine: str
    parts: dict[str, PartDraft]

    @property
    def kind(self) -> EngineKind:
        """What its kind of engine is."""
        return ENGINE_KINDS[self.engine]

    def here(self) -> EngineDraft:
        """The same engine as one for this machine."""
        return dataclasses.replace(self, architecture=architecture())

    def exactly_here(self) -> EngineDraft:
        """The same for this machine, with integer products as all processors but x86-64 without VNNI add them up.

        An emulated engine is compared with it: what saturates here would be taken for a difference there. Where the
        processor has VNNI, or is another than x86-64, the option changes nothing.
        """
        of_products = [name for name in self.parts if self.component_recipes.get(name, self.recipe).multiplies_integers]
        return self._with_session_options({EXACT_PRODUCTS_KEY: "1"}, of_products).here()

    def without_optimizations(self) -> EngineDraft:
        """The same engine with all of ONNX Runtime's optimizations off."""
        return self._with_session_options({OPTIMIZATION_KEY: AS_WRITTEN}, tuple(self.parts))

    def with_provider_options(self, options: Mapping[str, Mapping[str, str]]) -> EngineDraft:
        """The same engine with more options of the provider, by component."""
        parts = {
            name: dataclasses.replace(part, provider_options={**part.provider_options, **options.get(name, {})})
            for name, part in self.parts.items()
        }
        return dataclasses.replace(self, parts=parts)

    def _with_session_options(self, options: Mapping[str, str], components: Sequence[str]) -> EngineDraft:
        parts = {
            name: dataclasses.replace(part, session_options={**part.session_options, **options})
            if name in components
            else part
            for name, part in self.parts.items()
        }
        return dataclasses.replace(self, parts=parts)


def draft_engine(job: Job, candidate: Candidate, components: Sequence[str], *, as_written: bool) -> EngineDraft:
    """The engine of a candidate.

    Args:
        job: Whose target it is for.
        candidate: How it is made.
        components: Those of the model.
        as_written: Whether the float engine runs without ONNX Runtime's optimizations.
    """
    session_options = {THREADS_KEY: str(job.device_threads), **candidate.session_options}
    # Of float8 the optimizations make other numbers; see `edgewright_compiler.graphs.precision_difference`.
    without = candidate.in_float8() or (as_written and candidate.name == job.target.baseline)
    if without and candidate.provider == "CPUExecutionProvider":
        session_options[OPTIMIZATION_KEY] = AS_WRITTEN
    part = PartDraft(
        session_options=session_options,
        provider_options=provider(candidate.provider).options(candidate.provider_options, job.threads),
    )
    return EngineDraft(
        name=job.engine_name(candidate.name),
        target=job.target.name,
        architecture=job.target.architecture,
        provider=candidate.provider,
        precision=candidate.precision,
        recipe=candidate.recipe,
        component_recipes={name: recipe for name, recipe in candidate.component_recipes.items() if name in components},
        pad_to_multiple_of=candidate.pad_to_multiple_of,
        engine=candidate.engine,
        parts=dict.fromkeys(components, part),
    )
