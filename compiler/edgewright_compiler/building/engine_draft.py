"""An engine before it is in a package: what is known of it while it is made and measured.

It has no files in a package yet, and nobody has judged how far its answers may be from the float engine's. Both are in
the `EngineSpec` that `assemble` makes of it, at the one place where all of it is known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgewright_compiler.building.job import Job
from edgewright_runtime.options import AS_WRITTEN, EXACT_PRODUCTS_KEY, OPTIMIZATION_KEY, THREADS_KEY, of_speed_alone
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
        return self.with_session_options({name: {EXACT_PRODUCTS_KEY: "1"} for name in of_products}).here()

    def without_optimizations(self) -> EngineDraft:
        """The same engine with all of ONNX Runtime's optimizations off."""
        return self.with_session_options({name: {OPTIMIZATION_KEY: AS_WRITTEN} for name in self.parts})

    def arithmetic(self) -> EngineDraft:
        """What decides its predictions: the engine without its name and without what changes its speed alone."""
        parts = {
            name: dataclasses.replace(
                part,
                session_options={key: said for key, said in part.session_options.items() if not of_speed_alone(key)},
            )
            for name, part in self.parts.items()
        }
        return dataclasses.replace(self, name="", parts=parts)

    def with_provider_options(self, options: Mapping[str, Mapping[str, str]]) -> EngineDraft:
        """The same engine with more options of the provider, by component."""
        parts = {
            name: dataclasses.replace(part, provider_options={**part.provider_options, **options.get(name, {})})
            for name, part in self.parts.items()
        }
        return dataclasses.replace(self, parts=parts)

    def with_session_options(self, options: Mapping[str, Mapping[str, str]]) -> EngineDraft:
        """The same engine with more options of ONNX Runtime's session, by component."""
        parts = {
            name: dataclasses.replace(part, session_options={**part.session_options, **options.get(name, {})})
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
    session_options = {THREADS_KEY: str(candidate.threads or job.device_threads), **candidate.session_options}
    # Of float8 the optimizations make other numbers; see `edgewright_compiler.graphs.precision_difference`.
    without = candidate.in_float8() or (as_written and candidate.name == job.target.baseline)
    if without and candidate.provider == "CPUExecutionProvider":
        session_options[OPTIMIZATION_KEY] = AS_WRITTEN
    part = PartDraft(
        session_options=session_options,
        provider_options=provider(candidate.provider).options(candidate.provider_options, job.threads_of(candidate)),
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
