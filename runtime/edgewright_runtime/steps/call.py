"""What a call says beside its sample, apart from the named values: an array of the user may have any name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


# Not frozen: one is made for each call, and a frozen one takes three times as long.
@dataclass(slots=True)
class Call:
    """The settings of one call.

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


# Where steps find the call among the values of a sample. Equal to nothing but itself, so that no name of a graph, a
# file or a package is this key; a bare object, because each call looks it up and its hash costs nothing.
CALL: Any = object()
_PLAIN = Call()


def call_of(values: Mapping[str, Any]) -> Call:
    """The call that these values belong to; values of a step that is tried alone have none."""
    call: Call = values.get(CALL, _PLAIN)
    return call
