"""Facts about hardware: one TOML a target, a loader, detection of this host.

What reads target files is imported when it is first used: a device that runs a package reads none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewright_targets.errors import CheckFailedError, EdgewrightError, InputError, MissingDependencyError, nearest
from edgewright_targets.host import HostFacts, host_facts
from edgewright_targets.recipe import Recipe

if TYPE_CHECKING:
    from edgewright_targets.target import (
        HOST,
        RUNGS,
        Candidate,
        Rung,
        Target,
        host_target_name,
        load_target,
        target_names,
    )

__version__ = "0.1.0"

__all__ = [
    "HOST",
    "RUNGS",
    "Candidate",
    "CheckFailedError",
    "EdgewrightError",
    "HostFacts",
    "InputError",
    "MissingDependencyError",
    "Recipe",
    "Rung",
    "Target",
    "host_facts",
    "host_target_name",
    "load_target",
    "nearest",
    "target_names",
]

_IN_TARGET = {"HOST", "RUNGS", "Candidate", "Rung", "Target", "host_target_name", "load_target", "target_names"}


def __getattr__(name: str) -> object:
    if name not in _IN_TARGET:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from edgewright_targets import target

    return getattr(target, name)
