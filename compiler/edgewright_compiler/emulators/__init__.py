"""Emulators of hardware that is not here: of a processor, one file each, or of an accelerator by its provider."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

from edgewright_benchmarks.workers import Place
from edgewright_runtime.providers import provider as provider_module
from edgewright_targets import InputError
from edgewright_targets.host import architecture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_benchmarks.progress import Progress
    from edgewright_targets import Target

# Architecture of a target, as `uname -m` prints it there -> the module that emulates it.
EMULATORS: dict[str, str] = {}
# Execution providers that bring an emulator of their hardware, which runs in a worker of this machine.
PROVIDER_EMULATORS = ("QNNExecutionProvider",)


class Emulator(Protocol):
    """What an emulator's module offers."""

    def missing(self) -> str | None:
        """Why it cannot run here, as a whole sentence with what to do; None if it can."""

    def command(self, cpu: str, progress: Progress) -> Sequence[str]:
        """Prepare it, once, and give the command that starts a worker in it."""


def emulated_by_provider(provider: str) -> bool:
    """Whether the hardware of this execution provider has an emulator of its own."""
    return provider in PROVIDER_EMULATORS


def missing_for(target: Target, provider: str) -> str | None:
    """Why engines of this provider for `target` cannot be emulated here, as a sentence; None if they can."""
    if provider in PROVIDER_EMULATORS:
        return provider_module(provider).emulator_unavailable()
    if target.architecture in EMULATORS:
        return _module(EMULATORS[target.architecture]).missing()
    return f"There is no emulator for {target.architecture}."


def check_reachable(target: Target, providers: Sequence[str]) -> None:
    """Raise where engines of one of these providers for the target cannot be emulated on this machine.

    Raises:
        InputError: It cannot be reached from here; says what is missing.
    """
    for provider in providers:
        reason = missing_for(target, provider)
        if reason is not None:
            raise InputError(
                f"Target '{target.name}' ({target.architecture}) cannot be reached from this machine "
                f"({architecture()}): {reason}",
                hint="Build on such a machine; '--target host' builds for this one.",
            )


def place(target: Target, provider: str, progress: Progress) -> Place:
    """Where an engine of this provider for `target` runs emulated on this machine; prepares the emulator.

    An emulator in the provider itself, which runs in this machine's own worker, is a place with load options.
    """
    if provider in PROVIDER_EMULATORS:
        return Place(options={"emulate": True})
    return Place(tuple(_module(EMULATORS[target.architecture]).command(target.emulated_cpu or "max", progress)))


def _module(name: str) -> Emulator:
    return cast("Emulator", importlib.import_module(name))
