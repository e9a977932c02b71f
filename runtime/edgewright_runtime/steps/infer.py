"""The graph itself as a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package


class Infer:
    """Runs a component on the values that have its inputs' names; adds its outputs.

    Args:
        package: The package.
        engine: The active engine of the component.
        component: Name of the component.
    """

    def __init__(self, package: Package, engine: Engine, *, component: str) -> None:  # noqa: ARG002 - one protocol
        self._engine = engine
        self.component = component

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add the outputs of the graph; `outputs` holds them under their names as well."""
        names = self._engine.input_names
        feeds = {name: values[name] for name in names if name in values}
        outputs = self._engine.infer(feeds)
        return {**outputs, "outputs": outputs}
