"""Named arrays on their way to a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package


class DropSampleAxis:
    """Takes the first axis away where a graph has none for samples: single values, states that begin with layers.

    Files of arrays have samples along the first axis, so one of them is of shape [1, ...].

    Args:
        package: Unused; steps share one signature.
        engine: Unused.
        ranks: Input of the graph to its number of axes.
    """

    def __init__(self, package: Package, engine: Engine, *, ranks: Mapping[str, int]) -> None:
        del package, engine
        self._ranks = {str(name): int(rank) for name, rank in ranks.items()}

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the arrays that have one axis more than the graph; others pass as they are."""
        found = {name: values[name] for name in self._ranks if name in values}
        return {
            name: value.reshape(value.shape[1:])
            for name, value in found.items()
            if value.ndim == self._ranks[name] + 1 and value.shape[0] == 1
        }
