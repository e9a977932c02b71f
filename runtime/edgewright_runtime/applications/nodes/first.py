"""The first value that is there: the end of a cascade, or a value with a substitute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues


class First:
    """The first of its inputs, in the order of the declaration, that is not missing."""

    def __init__(self) -> None:
        pass

    def __call__(self, values: NamedValues) -> Any:
        """That value; None where all are missing."""
        return next((values[name] for name in values if values[name] is not None), None)
