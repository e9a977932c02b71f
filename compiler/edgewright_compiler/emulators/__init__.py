"""Emulators of hardware that is not here: of a processor, one file each, or of an accelerator by its provider."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

from edgewright_benchmarks.devices.engine_worker import Place
from edgewright_runtime.providers import PROVIDERS
from edgewright_runtime.providers import provider as provider_module
from edgewright_targets import InputError
from edgewright_targets.host import architecture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_benchmarks.progress import Progress
    from edgewright_targets import Target

# Architecture of a target, as `uname -m` prints it there -> the module that emulates it.
EMULATORS: dict[str, str] = {"aarch64": "edgewright_compiler.emulators.aarch64"}
_ANY_CPU = "max"


class Emulator(Protocol):
    """What an emulator's module offers."""

    def missing(self) -> str | None:
        """Why it cannot run here, as a whole sentence with what to do; None if it can."""

    def prepare(self, progress: Progress) -> Prepared:
        """Fetch what is not in the cache yet."""


class Prepared(Protocol):
    """An emulator that is ready to run."""

    def command(self, cpu: str) -> tuple[str, ...]:
        """Starts a worker on this processor."""

    def facts(self) -> dict[str, str]:
        """What answers depend on: versions and digests by name."""

    def about(self) -> dict[str, object]:
        """What there is to say about it, as plain data."""

    def lines(self) -> list[str]:
        """The facts as lines for people."""


def emulated_by_provider(provider: str) -> bool:
    """Whether the hardware of this execution provider has an emulator of its own."""
    return provider in PROVIDERS and PROVIDERS[provider].emulates


def needs_gpu(provider: str) -> bool:
    """Whether this execution provider runs on a GPU, which an emulated processor does not have."""
    return provider in PROVIDERS and PROVIDERS[provider].gpu


def missing_for(target: Target, provider: str) -> str | None:
    """Why engines of this provider for `target` cannot be emulated here, as a sentence; None if they can."""
    if emulated_by_provider(provider):
        return provider_module(provider).emulator_unavailable()
    if target.architecture in EMULATORS:
        return emulator_module(target.architecture).missing()
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
                hint="Use a machine of that kind. '--target host' is this machine.",
            )


def place(target: Target, provider: str, progress: Progress) -> Place:
    """Where an engine of this provider for `target` runs emulated on this machine; prepares the emulator.

    An emulator in the provider itself, which runs in this machine's own worker, is a place with `emulate`.

    Raises:
        EdgewrightError: The emulator could not be fetched, or does not know the processor.
    """
    if emulated_by_provider(provider):
        return Place(emulate=True)
    prepared = emulator_module(target.architecture).prepare(progress)
    cpu = target.emulated_cpu or _ANY_CPU
    return Place(prepared.command(cpu), facts={**prepared.facts(), "cpu": cpu})


def emulator_module(name: str) -> Emulator:
    """The module that emulates this architecture, one of `EMULATORS`."""
    return cast("Emulator", importlib.import_module(EMULATORS[name]))
