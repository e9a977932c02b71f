"""A graph as a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package


# Values that a run adds itself.
_OWN = ("top_k", "options", "outputs", "whole_feeds")


class Infer:
    """Runs a component on named values; adds its outputs.

    Args:
        package: The package.
        engine: The active engine.
        component: Name of the component.
        inputs: Input of the graph to the value it is given; an input that is not named has a value of its own name.
        outputs: Output of the graph to the name that it is added under; likewise.
    """

    def __init__(
        self,
        package: Package,
        engine: Engine,
        *,
        component: str,
        inputs: Mapping[str, str] | None = None,
        outputs: Mapping[str, str] | None = None,
    ) -> None:
        del package
        self._graph = engine.graph(component)
        self.component = component
        self.wired = {name: name for name in self._graph.input_names} | dict(inputs or {})
        self._renamed = dict(outputs or {})
        unknown = {*self.wired} - {*self._graph.input_names} | {*self._renamed} - {*self._graph.output_names}
        if unknown:
            raise ValueError(f"component '{component}' has no {', '.join(sorted(unknown))}")

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add the outputs of the graph; `outputs` holds them under their names as well."""
        wired = self.wired
        feeds = {name: values[value] for name, value in wired.items() if value in values}
        if len(feeds) != len(wired):
            missing = ", ".join(f"'{value}'" for value in wired.values() if value not in values)
            given = ", ".join(f"'{name}'" for name in values if name not in _OWN) or "nothing"
            raise SampleError(f"The model needs the input {missing}; given was {given}.")
        if "whole_feeds" in values:
            values["whole_feeds"].setdefault(self.component, []).append(feeds)
        outputs = self._graph.infer(feeds)
        if self._renamed:
            outputs = {self._renamed.get(name, name): value for name, value in outputs.items()}
        return {**outputs, "outputs": outputs}
