"""What a call says beside its sample: its options, which no array of the user can be taken for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


# Not frozen: one is made for each call, and a frozen one takes three times as long.
@dataclass(slots=True)
class CallOptions:
    """The options of one call.

    Attributes:
        top_k: How many labels to give.
        options: What else the call said, by name.
        recorder: Where steps that run a component keep what they give its graph, a list for each component; None where
            nobody asked.
    """

    top_k: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    recorder: dict[str, list[Arrays]] | None = None

    def record(self, component: str, feeds: Arrays) -> None:
        """Keep what a graph is given, where somebody asked for it."""
        if self.recorder is not None:
            self.recorder.setdefault(component, []).append(feeds)
