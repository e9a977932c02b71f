"""A model looked into: what its graphs are given, and the outputs by which engines are compared.

Builds, benchmarks and self-tests ask for these; a device that only answers does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewright_runtime.manifest import COMPONENT
from edgewright_runtime.steps.protocols import GraphStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewright_runtime.model import Model
    from edgewright_runtime.steps.protocols import Step
    from edgewright_runtime.wire import Arrays


class Probe:
    """Runs a model by the steps that its package declares for comparing engines, and shows what is inside.

    For most models these are the steps of a call. Two engines that generate texts cannot be compared after the first
    token in which they differ, so the package declares other steps for these; for a detector boxes count as well that
    nobody would be shown.

    Attributes:
        model: A loaded model; the probe runs the same engine.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._pipeline = model.pipeline
        self._declared = model.manifest.pipeline.measured
        self._made: Sequence[Step] | None = None

    def values_for_comparison(self, sample: Any) -> Mapping[str, Any]:
        """All named values of a sample; `outputs` are those by which engines are compared.

        Raises:
            SampleError: The sample is not what the model takes.
        """
        return self._pipeline.run_steps(self._steps(), self._pipeline.values(sample, {}))

    def call_for_timing(self, sample: Any) -> None:
        """Call the model as it is timed: with the same work for every engine."""
        self.model(sample, **(self._declared.call if self._declared else {}))

    @property
    def timed_tokens(self) -> int:
        """New tokens that a call makes which is timed; 0 where it generates no text, or says no number."""
        call = self._declared.call if self._declared else {}
        tokens = call.get("max_new_tokens", 0)
        return tokens if isinstance(tokens, int) and tokens == call.get("min_new_tokens") else 0

    def feeds(self, sample: Any, component: str = COMPONENT) -> Arrays:
        """What the steps before the graphs make for a component: input to array.

        What comes from another graph, or is the state of a loop, is not part of it: an engine of another precision is
        given the same feeds.
        """
        return self._feeds(sample).get(component, {})

    def golden_feeds(self, sample: Any) -> Arrays:
        """The feeds of all components, named as golden samples name them: `input`, or `component/input`."""
        return {
            name if component == COMPONENT else f"{component}/{name}": value
            for component, feeds in self._feeds(sample).items()
            for name, value in feeds.items()
        }

    def recorded_feeds(self, sample: Any) -> dict[str, list[Arrays]]:
        """Component to all that its graph is given for a sample, once for each time that it runs.

        Of a loop it is one step from the middle, with the state; empty if a sample is too short for that.
        """
        found: dict[str, list[Arrays]] = {}
        values = self._pipeline.values(sample, {})
        values.call.recorder = found
        self._pipeline.run_steps(self._steps(), values)
        return found

    def _feeds(self, sample: Any) -> dict[str, Arrays]:
        steps = self._steps()
        first = next((index for index, step in enumerate(steps) if isinstance(step, GraphStep)), len(steps))
        values = self._pipeline.run_steps(steps[:first], self._pipeline.values(sample, {}))
        found: dict[str, Arrays] = {}
        for step in steps[first:]:
            if isinstance(step, GraphStep):
                given = {name: values[value] for name, value in step.wired.items() if value in values}
                found[step.component] = found.get(step.component, {}) | given
        return found

    def _steps(self) -> Sequence[Step]:
        """The steps for comparisons, made when they are first needed: timing a call does not need them."""
        if self._declared is None:
            return self._pipeline.steps
        if self._made is None:
            self._made = self._pipeline.made(self._declared.steps)
        return self._made
