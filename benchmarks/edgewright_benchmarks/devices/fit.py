"""What of a package is for a device, and whether it has the room."""

from __future__ import annotations

from collections.abc import Mapping

from edgewright_benchmarks.devices.responses import DeviceFacts
from edgewright_runtime import Package
from edgewright_targets import InputError, nearest


def target_for(package: Package, asked: str | None, facts: DeviceFacts, device: str) -> str:
    """The target of the package whose engines are measured on a device.

    Args:
        package: The package.
        asked: The target that the user named; None takes the most special one that fits.
        facts: What the far end says about the device.
        device: Its name for messages.

    Raises:
        InputError: The package has no engine for it, or the one asked for is for other hardware.
    """
    reasons = {target: _unfit(package, target, facts) for target in package.targets}
    if asked is not None:
        if asked not in reasons:
            raise InputError(
                f"'{package.root}' was not built for the target '{asked}'.", hint=nearest(asked, package.targets)
            )
        # A board that is emulated has no firmware to say which one it is; what is found there has that rung.
        if reasons[asked] and not (facts.emulated and _architecture(package, asked) == facts.architecture):
            raise InputError(f"Target '{asked}' is not device '{device}': {reasons[asked]}.", hint=_others(reasons))
        return asked
    fitting = [target for target, reason in reasons.items() if not reason]
    if not fitting:
        listing = "; ".join(f"{target}: {reason}" for target, reason in reasons.items())
        raise InputError(
            f"'{package.root}' has no engine for device '{device}' ({facts.architecture}). {listing}.",
            hint=f"Build it with a target of that architecture, such as '--target {facts.architecture}'."
            if all(_architecture(package, target) != facts.architecture for target in reasons)
            else "Name the target to measure there with --target.",
        )
    return next((target for target in fitting if _machine_model(package, target)), fitting[0])


def _unfit(package: Package, target: str, facts: DeviceFacts) -> str:
    architecture, model = _architecture(package, target), _machine_model(package, target)
    if architecture != facts.architecture:
        return f"its engines are for {architecture}, but the device is {facts.architecture}"
    if not facts.model.startswith(model):
        says = f"'{facts.model}'" if facts.model else "nothing"
        return f"it is a '{model}', but the firmware of the device says {says}"
    return ""


def _architecture(package: Package, target: str) -> str:
    return package.manifest.engines[package.manifest.baselines[target]].architecture


def _machine_model(package: Package, target: str) -> str:
    hardware = package.manifest.hardware.get(target)
    return hardware.machine_model if hardware else ""


def _others(reasons: Mapping[str, str]) -> str:
    fitting = [target for target, reason in reasons.items() if not reason]
    return (
        f"These targets of the package fit: {', '.join(fitting)}."
        if fitting
        else "No target of the package fits the device."
    )


def check_memory(package: Package, target: str, facts: DeviceFacts, device: str) -> None:
    """Refuse where the engines cannot be in memory together, as they are while they take turns.

    Raises:
        InputError: Too little memory.
    """
    sizes = [
        sum(path.stat().st_size for path in package.engine_files(name)) for name in package.manifest.engines_for(target)
    ]
    if facts.memory_bytes and sum(sizes) > facts.memory_bytes:
        raise InputError(
            f"Device '{device}' has too little memory: {_megabytes(facts.memory_bytes)} are free, but the "
            f"{len(sizes)} engines for '{target}' take {_megabytes(sum(sizes))}.",
            hint="Stop other programs there, or build with fewer candidates.",
        )


def check_disk(needed: int, free: int, folder: str, device: str) -> None:
    """Refuse where what is to be copied does not fit.

    Raises:
        InputError: Too little room.
    """
    if needed > free:
        raise InputError(
            f"Device '{device}' has too little disk space: {_megabytes(free)} are free in '{folder}', but "
            f"{_megabytes(needed)} are needed.",
            hint="Free some space, or name a folder on another disk: ssh://...?workdir=/path",
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
