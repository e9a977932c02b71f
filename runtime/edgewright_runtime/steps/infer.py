"""The graph itself as a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package


# Values that a run adds itself.
_OWN = ("top_k", "options", "outputs")


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
        if len(feeds) != len(names):
            missing = ", ".join(f"'{name}'" for name in names if name not in values)
            given = ", ".join(f"'{name}'" for name in values if name not in _OWN) or "nothing"
            raise SampleError(f"The model needs the input {missing}; given was {given}.")
        outputs = self._engine.infer(feeds)
        return {**outputs, "outputs": outputs}
