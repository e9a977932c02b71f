"""Facts about hardware: one TOML a target, a loader, detection of this host.

What reads target files is imported when it is first used: a device that runs a package reads none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from edgewright_targets.errors import CheckFailedError, EdgewrightError, InputError, MissingDependencyError, nearest
from edgewright_targets.host import HostFacts, host_facts
from edgewright_targets.recipe import Recipe

if TYPE_CHECKING:
    from edgewright_targets.loading import HOST, host_target_name, load_target
    from edgewright_targets.target import RUNGS, Candidate, Rung, Target
    from edgewright_targets.target_file import target_names

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

_LAZY = {
    **dict.fromkeys(("HOST", "host_target_name", "load_target"), "edgewright_targets.loading"),
    **dict.fromkeys(("RUNGS", "Candidate", "Rung", "Target"), "edgewright_targets.target"),
    "target_names": "edgewright_targets.target_file",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(_LAZY[name]), name)
