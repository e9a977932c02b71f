"""A source beside its graph: what the export is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


@dataclass(frozen=True)
class Inference:
    """A source as a function of what its one graph is given.

    Attributes:
        run: From inputs of the graph by name to its outputs in their order; raises whatever the source raises.
        free: Input to the axes that the exporter was to keep free.
    """

    run: Callable[[Arrays], Arrays]
    free: Mapping[str, tuple[int, ...]]
