"""How far evidence for a target can go from this machine as it is now, and what is missing for more."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_compiler.compile import compiler
from edgewright_compiler.emulators import missing_for
from edgewright_compiler.reach.execution_modes import execution_modes, planned
from edgewright_runtime.providers import provider as provider_module
from edgewright_targets import Candidate, InputError, Rung, Target
from edgewright_targets.target import RUNGS


@dataclass(frozen=True)
class Reach:
    """How far it goes.

    Attributes:
        target: Name of the target.
        rung: The best that one of its candidates reaches from here.
        reason: Why that, as a sentence.
        missing: What stands in the way of more, in whole sentences with what to do; empty where nothing does.
        candidates: Name of each candidate to the rung that it reaches.
    """

    target: str
    rung: Rung
    reason: str
    missing: tuple[str, ...]
    candidates: dict[str, Rung]


_REASONS: dict[Rung, str] = {
    "measured": "This machine is this target.",
    "emulated": "Its engines run in an emulator here: predictions are valid, latency is not measured.",
    "compiled": "Its engines can be compiled here, but not run.",
    "declared": "Its engines can be neither run nor compiled here.",
}


def reach(target: Target) -> Reach:
    """How far evidence for `target` can go from here."""
    rungs: dict[str, Rung] = {}
    missing: list[str] = []
    for candidate in target.candidates:
        rung, reason = _candidate(target, candidate)
        rungs[candidate.name] = rung
        if reason is not None:
            missing.append(reason)
    best = next(rung for rung in RUNGS if rung in rungs.values())
    return Reach(target.name, best, _REASONS[best], tuple(dict.fromkeys(missing)), rungs)


def _candidate(target: Target, candidate: Candidate) -> tuple[Rung, str | None]:
    """The rung of a candidate, and what is missing for it to run or be compiled."""
    if target.matches_machine():
        reason = provider_module(candidate.provider).unavailable()
        return ("measured" if reason is None else "declared"), reason
    reason = _compiler_missing(candidate)
    if reason is not None:
        return "declared", reason
    try:
        mode = execution_modes(target)[candidate.name]
    except InputError:
        # One of the target's emulators is missing, which need not be this candidate's.
        if planned(target)[candidate.name].runs == "reference":
            return "declared", None
        reason = missing_for(target, candidate.provider)
        return ("emulated" if reason is None else "declared"), reason
    # Where nothing here answers it or makes it, the note says who does.
    return mode.rung, mode.note if mode.runs == "none" and mode.rung == "declared" else None


def _compiler_missing(candidate: Candidate) -> str | None:
    """What a kind of engine needs beside ONNX Runtime, where its compiler says so."""
    if not candidate.kind.ahead_of_time:
        return None
    missing = getattr(compiler(candidate.engine), "missing", None)
    reason: str | None = missing() if missing is not None else None
    return reason
