"""A graph as a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.values import call_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.graph import Arrays
    from edgewright_runtime.steps.values import NamedValues


class Infer:
    """Runs a component on named values; adds its outputs.

    Args:
        engine: The active engine.
        component: Name of the component.
        inputs: Input of the graph to the value it is given; an input that is not named has a value of its own name.
        outputs: Output of the graph to the name that it is added under; likewise.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        component: str,
        inputs: Mapping[str, str] | None = None,
        outputs: Mapping[str, str] | None = None,
    ) -> None:
        self._graph = engine.graph(component)
        self.component = component
        self.wired = {name: name for name in self._graph.input_names} | dict(inputs or {})
        self._renamed = dict(outputs or {})
        self._refused_rows = False
        unknown = {*self.wired} - {*self._graph.input_names} | {*self._renamed} - {*self._graph.output_names}
        if unknown:
            raise ValueError(f"component '{component}' has no {', '.join(sorted(unknown))}")

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add the outputs of the graph; `outputs` holds them under their names as well."""
        outputs = self.arrays(values)
        return {**outputs, "outputs": outputs}

    def arrays(self, values: NamedValues) -> Arrays:
        """The outputs of the graph alone."""
        feeds = self._feeds(values)
        call_of(values).record(self.component, feeds)
        return self._named(self._graph.infer(feeds))

    @property
    def one_by_one(self) -> str:
        """Why several samples do not go through the graph together, as a sentence; empty where they do."""
        if self._refused_rows:
            return "The graph declares an axis of samples and refuses more than one."
        if not self._graph.batchable:
            return (
                "The graph has no first axis of any length in all inputs and outputs, or finds ranges of its numbers "
                "at run time, over all samples."
            )
        return ""

    def many(self, batch: Sequence[NamedValues]) -> list[dict[str, object]]:
        """The same for several samples: those whose inputs have the same shapes in one run, where the graph can."""
        fed = [self._feeds(values) for values in batch]
        alike: dict[Any, list[int]] = {}
        for index, feeds in enumerate(fed):
            shapes = tuple((name, value.shape, value.dtype.str) for name, value in feeds.items())
            # What has no row of its own is a group of its own.
            rows = self._graph.batchable and all(value.shape[:1] == (1,) for value in feeds.values())
            alike.setdefault(shapes if rows else index, []).append(index)
        made: dict[int, dict[str, object]] = {}
        for group in alike.values():
            outputs = map(self._named, self._together([fed[index] for index in group]))
            made.update(zip(group, ({**one, "outputs": one} for one in outputs), strict=True))
        return [made[index] for index in range(len(batch))]

    def _together(self, fed: Sequence[Arrays]) -> list[Arrays]:
        # A graph may declare what is not true of it: it is asked once, and from then on one by one.
        if len(fed) > 1 and not self._refused_rows:
            try:
                outputs = self._graph.infer({name: np.concatenate([feeds[name] for feeds in fed]) for name in fed[0]})
            except Exception:  # noqa: BLE001 - whatever a provider throws; alone it does so again, or all is well
                outputs = {}
            if outputs and all(value.shape[:1] == (len(fed),) for value in outputs.values()):
                rows = range(len(fed))
                return [{name: value[row : row + 1] for name, value in outputs.items()} for row in rows]
            self._refused_rows = True
        return [self._graph.infer(feeds) for feeds in fed]

    def _feeds(self, values: NamedValues) -> Arrays:
        wired = self.wired
        feeds = {name: values[value] for name, value in wired.items() if value in values}
        if len(feeds) != len(wired):
            missing = ", ".join(f"'{value}'" for value in wired.values() if value not in values)
            given = ", ".join(f"'{name}'" for name in values) or "nothing"
            raise SampleError(f"The model needs the input {missing}; found {given}.")
        return feeds

    def _named(self, outputs: Arrays) -> Arrays:
        if not self._renamed:
            return outputs
        return {self._renamed.get(name, name): value for name, value in outputs.items()}
