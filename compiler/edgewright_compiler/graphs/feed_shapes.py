"""Shapes of what a graph is given for real samples: engines of one shape, or of a range of shapes, follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

Shape = tuple[int, ...]


@dataclass(frozen=True)
class FeedShapes:
    """Shapes of feeds.

    Attributes:
        inputs: Name of a graph's input to its shape for each sample, in the order of the samples; all of one rank.
    """

    inputs: dict[str, tuple[Shape, ...]]

    @property
    def samples(self) -> int:
        """The number of samples that the shapes are of."""
        return len(next(iter(self.inputs.values()), ()))

    def minimum(self, name: str) -> Shape:
        """The smallest size of each axis."""
        return tuple(min(sizes) for sizes in zip(*self.inputs[name], strict=True))

    def typical(self, name: str) -> Shape:
        """The median size of each axis, rounded down to a size that occurs."""
        return tuple(sorted(sizes)[(len(sizes) - 1) // 2] for sizes in zip(*self.inputs[name], strict=True))

    def maximum(self, name: str) -> Shape:
        """The largest size of each axis."""
        return tuple(max(sizes) for sizes in zip(*self.inputs[name], strict=True))


def shapes_of(feeds: Sequence[Arrays]) -> FeedShapes:
    """The shapes of `feeds`, which all have the same names."""
    names = feeds[0] if feeds else {}
    return FeedShapes({name: tuple(feed[name].shape for feed in feeds) for name in names})
