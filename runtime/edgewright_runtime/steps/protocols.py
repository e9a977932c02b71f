"""What pipelines ask of steps: a call for one sample, and of some also batches, pieces or the name of a component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from edgewright_runtime.answer_types import GenerationFacts, TextSegment
    from edgewright_runtime.steps.values import NamedValues


class Step(Protocol):
    """Reads named values of a sample, returns the values it adds or replaces.

    Options of a call that every such step takes stand in its `StepKind`; those that its own options in a manifest name,
    in `options` of the step, a tuple. It finds them by `call_of`.
    """

    def __call__(self, values: NamedValues) -> NamedValues:
        """Run the step on one sample."""


class TextStream:
    """Iterate over it for the pieces of an answer.

    Args:
        pieces: The pieces; it returns how the answer came about.
        segments: A list that it fills as it goes.

    Attributes:
        facts: How the answer came about; filled when the last piece was given.
        segments: Of a transcript with times: `start`, `end` and `text` of those that were given so far.
    """

    def __init__(
        self, pieces: Generator[str, None, GenerationFacts], segments: list[TextSegment] | None = None
    ) -> None:
        self.facts: GenerationFacts = {}
        self.segments = [] if segments is None else segments
        self._pieces = pieces

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            self.facts = end.value or self.facts
            raise StopIteration from None


@runtime_checkable
class StreamingStep(Protocol):
    """A step that can give what it makes piece by piece."""

    def stream(self, values: NamedValues) -> TextStream:
        """The pieces of the answer."""


@runtime_checkable
class BatchStep(Protocol):
    """A step that can take several samples at once."""

    def many(self, batch: Sequence[NamedValues]) -> Sequence[NamedValues]:
        """Run the step on samples, in their order."""


@runtime_checkable
class GraphStep(Protocol):
    """A step that runs a component.

    Where the call has a recorder, the step adds what it gives the graph to the list under the name of the component.

    Attributes:
        component: Which one.
        wired: Input of the graph to the value that it is given, as far as values are given.
    """

    component: str
    wired: Mapping[str, str]

    def __call__(self, values: NamedValues) -> NamedValues:
        """Run the step on one sample."""
