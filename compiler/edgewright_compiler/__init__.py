"""From a source to a package: export, quantize, measure, choose, assemble.

    from edgewright_compiler import BuildOptions, build

    built = build("checkpoints/intents", BuildOptions(output="intents.ortpackage", evaluation="validation.csv"))

The names are imported when they are first used, so that importing the package stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewright_compiler.building.build import Built, build
    from edgewright_compiler.building.job import BuildOptions

__all__ = ["BuildOptions", "Built", "build"]

_PLACES = {"BuildOptions": "building.job", "Built": "building.build", "build": "building.build"}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
