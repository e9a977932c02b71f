"""Candidates that differ in settings of speed alone: where nothing is timed, one of them stands for all."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_runtime.options import of_speed_alone
from edgewright_targets import Candidate

if TYPE_CHECKING:
    from edgewright_compiler.building.job import Job


def without_settings(candidates: Sequence[Candidate], baseline: str) -> tuple[Candidate, ...]:
    """The candidates but for those that are an earlier one with other settings of speed.

    Args:
        candidates: Of a target where nothing is timed.
        baseline: Name of the one that is kept in any case.
    """
    kept: list[Candidate] = []
    for one in candidates:
        if one.name == baseline or not any(_unset(one).repeats(_unset(other)) for other in kept):
            kept.append(one)
    return tuple(kept)


def settings_of(chosen: Candidate, listed: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The chosen candidate with other settings of speed, each once.

        >>> one = Candidate(name="cpu-int8", provider="CPUExecutionProvider", precision="int8")
        >>> alone = Candidate(name="cpu-alone", provider="CPUExecutionProvider", precision="int8", threads=1)
        >>> [(found.name, found.threads) for found in settings_of(one, [alone, one])]
        [('cpu-alone', 1)]

    Args:
        chosen: It, as it was judged.
        listed: Candidates of the target, whose settings they are.
    """
    kept = {key: value for key, value in chosen.session_options.items() if not of_speed_alone(key)}
    found: list[Candidate] = []
    for other in listed:
        if (other.provider, other.engine) != (chosen.provider, chosen.engine):
            continue
        speed = {key: value for key, value in other.session_options.items() if of_speed_alone(key)}
        changed = dataclasses.replace(
            chosen,
            name=f"{chosen.name}-as-{other.name}",
            session_options={**kept, **speed},
            threads=other.threads,
            fixed_axes=other.fixed_axes,
        )
        # Where the target has a name for it, it has this name.
        changed = next((one for one in listed if changed.repeats(one)), changed)
        if not any(changed.repeats(one) for one in (chosen, *found)):
            found.append(changed)
    return tuple(found)


def other_arithmetic(job: Job, chosen: str, accepted: Sequence[str]) -> tuple[str, ...]:
    """Names of the accepted engines that differ from the chosen one in session options alone.

    Args:
        job: The build; its target has every candidate that was tried.
        chosen: Name of the chosen engine.
        accepted: Names of accepted engines.
    """
    by_name = {job.engine_name(one.name): one for one in job.target.candidates}
    of_all = {name: _graph(by_name[name]) for name in {chosen, *accepted}}
    return tuple(name for name in accepted if name != chosen and of_all[name].repeats(of_all[chosen]))


def _unset(candidate: Candidate) -> Candidate:
    """The candidate without what changes its speed alone."""
    options = {key: value for key, value in candidate.session_options.items() if not of_speed_alone(key)}
    return dataclasses.replace(candidate, session_options=options, threads=0, fixed_axes=False)


def _graph(candidate: Candidate) -> Candidate:
    """What of a candidate decides its graph, and where it is tried no longer."""
    return dataclasses.replace(
        _unset(candidate), session_options={}, without_isa=(), with_isa=(), tasks=(), quantized_only=False
    )
