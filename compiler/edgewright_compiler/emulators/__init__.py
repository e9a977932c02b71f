"""Emulators of machines that are not this one: one file an architecture, and this one list."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

from edgewright_targets import InputError
from edgewright_targets.host import architecture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_benchmarks.progress import Progress
    from edgewright_targets import Target

# Architecture of a target, as `uname -m` prints it there -> the module that emulates it.
EMULATORS: dict[str, str] = {}


class Emulator(Protocol):
    """What an emulator's module offers."""

    def missing(self) -> str | None:
        """Why it cannot run here, as a whole sentence with what to do; None if it can."""

    def command(self, cpu: str, progress: Progress) -> Sequence[str]:
        """Prepare it, once, and give the command that starts a worker in it."""


def check_reachable(target: Target) -> None:
    """Raise where no emulator for the target can run on this machine.

    Raises:
        InputError: It cannot be reached from here; says what is missing.
    """
    reason = f"there is no emulator for {target.architecture}"
    if target.architecture in EMULATORS:
        missing = _module(target.architecture).missing()
        if missing is None:
            return
        reason = missing
    raise InputError(
        f"Target '{target.name}' ({target.architecture}) cannot be reached from this machine ({architecture()}): "
        f"{reason}",
        hint="Build on such a machine; '--target host' builds for this one.",
    )


def emulator(target: Target, progress: Progress) -> Sequence[str]:
    """The command that starts a worker on an emulated machine like `target`."""
    return _module(target.architecture).command(target.emulated_cpu or "max", progress)


def _module(name: str) -> Emulator:
    return cast("Emulator", importlib.import_module(EMULATORS[name]))
