"""Facts about hardware: one TOML a target, a loader, detection of this host."""

from edgewright_targets.errors import CheckFailedError, EdgewrightError, InputError, MissingDependencyError, nearest
from edgewright_targets.host import HostFacts, host_facts
from edgewright_targets.target import (
    HOST,
    Candidate,
    Recipe,
    Rung,
    Target,
    host_target_name,
    load_target,
    target_names,
)

__version__ = "0.1.0"

__all__ = [
    "HOST",
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
