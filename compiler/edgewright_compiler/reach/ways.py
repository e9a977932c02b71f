"""How the engines of a target are answered on this machine, and the rung that each of them reaches so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgewright_benchmarks.devices.engine_worker import Place
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.emulators import EMULATORS, check_reachable, emulated_by_provider, place
from edgewright_targets import Candidate, Rung, Target
from edgewright_targets.host import architecture

# here: on this machine, which is the target. emulated: in an emulator. reference: by this machine's processor, only
# so that others can be compared with it. none: not at all.
Answers = Literal["here", "emulated", "reference", "none"]


@dataclass(frozen=True)
class Way:
    """How the engine of a candidate is answered.

    Attributes:
        answers: By what.
        rung: What that makes of its figures.
        note: What must be said with them, as a whole sentence; empty where the rung says it all.
    """

    answers: Answers
    rung: Rung
    note: str = ""


_FINISHED_LATER = Way(
    "none", "declared", "'edgewright finish' makes it on the device. Until then nothing about it is checked."
)


def ways(target: Target) -> dict[str, Way]:
    """The way of each candidate, by its name.

    Raises:
        InputError: The target cannot be reached from this machine; says what is missing.
    """
    found = planned(target)
    emulated = [c.provider for c in target.candidates if found[c.name].answers == "emulated"]
    check_reachable(target, list(dict.fromkeys(emulated)))
    return found


def planned(target: Target) -> dict[str, Way]:
    """The same, whether or not what it takes is installed."""
    if target.is_here():
        return {
            candidate.name: _FINISHED_LATER if candidate.kind.made_by_finish else Way("here", "measured")
            for candidate in target.candidates
        }
    # Where an accelerator is what it is about, the processor beside it is not emulated for the baseline's sake; and a
    # target that says itself that nothing emulates it is built for all the same, with its float engine.
    accelerator = any(candidate.kind.ahead_of_time for candidate in target.candidates)
    emulated = not accelerator and (target.architecture in EMULATORS or target.rung != "declared")
    return {candidate.name: _way(candidate, target, emulated=emulated) for candidate in target.candidates}


def places(target: Target, progress: Progress) -> dict[str, Place]:
    """Where the engine of each candidate that is answered at all runs, by candidate; prepares emulators.

    Raises:
        EdgewrightError: An emulator cannot be prepared.
    """
    answers = {name: way.answers for name, way in ways(target).items()}
    emulated = {c.provider for c in target.candidates if answers[c.name] == "emulated"}
    at = {provider: place(target, provider, progress) for provider in sorted(emulated)}
    return {
        candidate.name: at[candidate.provider] if answers[candidate.name] == "emulated" else Place()
        for candidate in target.candidates
        if answers[candidate.name] != "none"
    }


def _way(candidate: Candidate, target: Target, *, emulated: bool) -> Way:
    if emulated or emulated_by_provider(candidate.provider):
        return Way("emulated", "emulated")
    if candidate.name == target.baseline:
        return Way("reference", "declared", _reference_note(target))
    if not candidate.kind.ahead_of_time:
        return Way("none", "declared", "It was not run: this machine has neither the hardware nor an emulator of it.")
    if candidate.kind.made_by_finish:
        return _FINISHED_LATER
    return Way(
        "none", "compiled", f"{candidate.provider} compiled it. It was not run, because the hardware is not here."
    )


def _reference_note(target: Target) -> str:
    return (
        f"It was not run on {target.name}, so neither its predictions nor its latency there are checked. Its "
        f"predictions on an {architecture()} processor are the reference of the comparison."
    )
