"""What steps hand on by names, which a manifest says; beside it, the options of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from edgewright_runtime.steps.call import call_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.steps.call import CallOptions


class MissingValueError(LookupError):
    """A step looks for a value that no step before it gave: the manifest names another."""


class Values(dict[str, Any]):
    """The named values of a sample, or the streams of one: arrays that a user gives, and what steps made.

    A name that is not there is the manifest's fault, and told apart from a `KeyError` of a bug.

    Attributes:
        call: The options of the call, where there is one; steps find them by `call_of`.
    """

    __slots__ = ("call",)

    call: CallOptions

    @classmethod
    def for_call(cls, named: Mapping[str, Any], call: CallOptions) -> Self:
        """These values, with the options of a call beside them."""
        made = cls(named)
        made.call = call
        return made

    def __missing__(self, name: str) -> NoReturn:
        raise MissingValueError(f"nothing gives {name[:100]!r}")


def extended(values: Mapping[str, Any], added: Mapping[str, Any]) -> Values:
    """A copy with values added or replaced, for the same call."""
    return Values.for_call({**values, **added}, call_of(values))
