"""From a source to a package: export, quantize, measure, choose, assemble.

    from edgewright_compiler import BuildOptions, build

    built = build("checkpoints/intents", BuildOptions(output="intents.ortpackage", evaluation="validation.csv"))

The names are imported when they are first used, so that importing the package stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewright_compiler.building.build_options import BuildOptions
    from edgewright_compiler.package_build import Built, build

__all__ = ["BuildOptions", "Built", "build"]

_PLACES = {"BuildOptions": "building.build_options", "Built": "package_build", "build": "package_build"}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
