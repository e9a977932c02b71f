"""How this machine runs the engines of a target, and the rung that each of them reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgewright_benchmarks.devices.engine_worker import Place
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.emulators import EMULATORS, check_reachable, emulated_by_provider, needs_gpu, place
from edgewright_targets import Candidate, Rung, Target
from edgewright_targets.host import architecture

# here: on this machine, which is the target. emulated: in an emulator. reference: on this machine's processor, only so
# that other engines can be compared with it. none: it does not run.
Runs = Literal["here", "emulated", "reference", "none"]


@dataclass(frozen=True)
class ExecutionMode:
    """How this machine runs the engine of a candidate.

    Attributes:
        runs: Where the engine runs.
        rung: The rung of its figures.
        note: A sentence that must be shown with the figures; empty if the rung says everything.
    """

    runs: Runs
    rung: Rung
    note: str = ""


_FINISHED_LATER = ExecutionMode(
    "none", "declared", "'edgewright finish' makes it on the device. Until then nothing about it is checked."
)


def execution_modes(target: Target) -> dict[str, ExecutionMode]:
    """The execution mode of each candidate, by its name.

    Raises:
        InputError: The target cannot be reached from this machine; says what is missing.
    """
    found = planned(target)
    emulated = [c.provider for c in target.candidates if found[c.name].runs == "emulated"]
    check_reachable(target, list(dict.fromkeys(emulated)))
    return found


def planned(target: Target) -> dict[str, ExecutionMode]:
    """The execution mode of each candidate, without a check that its emulator is installed."""
    if target.matches_machine():
        return {
            candidate.name: _FINISHED_LATER if candidate.kind.made_by_finish else ExecutionMode("here", "measured")
            for candidate in target.candidates
        }
    # An accelerator target's host CPU is not emulated just for the baseline. A target with rung "declared" is still
    # built, with its float engine only.
    accelerator = target.vulkan_gpu or any(candidate.kind.ahead_of_time for candidate in target.candidates)
    emulated = not accelerator and (target.architecture in EMULATORS or target.rung != "declared")
    return {candidate.name: _mode(candidate, target, emulated=emulated) for candidate in target.candidates}


def places(target: Target, progress: Progress) -> dict[str, Place]:
    """Where the engine of each candidate that runs from here runs, by candidate; prepares emulators.

    Raises:
        EdgewrightError: An emulator cannot be prepared.
    """
    runs = {name: mode.runs for name, mode in execution_modes(target).items()}
    emulated = {c.provider for c in target.candidates if runs[c.name] == "emulated"}
    at = {provider: place(target, provider, progress) for provider in sorted(emulated)}
    return {
        candidate.name: at[candidate.provider] if runs[candidate.name] == "emulated" else Place()
        for candidate in target.candidates
        if runs[candidate.name] != "none"
    }


def _mode(candidate: Candidate, target: Target, *, emulated: bool) -> ExecutionMode:
    if needs_gpu(candidate.provider) and not target.vulkan_gpu:
        return ExecutionMode("none", "declared", "It was not run: it is for a GPU, and the emulated machine has none.")
    if emulated or emulated_by_provider(candidate.provider):
        return ExecutionMode("emulated", "emulated")
    if candidate.name == target.baseline:
        return ExecutionMode("reference", "declared", _reference_note(target))
    if not candidate.kind.ahead_of_time:
        note = "It was not run: this machine has neither the hardware nor an emulator of it."
        return ExecutionMode("none", "declared", note)
    if candidate.kind.made_by_finish:
        return _FINISHED_LATER
    return ExecutionMode(
        "none", "compiled", f"{candidate.provider} compiled it. It was not run, because the hardware is not here."
    )


def _reference_note(target: Target) -> str:
    return (
        f"It was not run on {target.name}, so neither its predictions nor its latency there are checked. Its "
        f"predictions on an {architecture()} processor are the reference of the comparison."
    )
