"""What steps hand on by names, which a manifest says; beside it, the options of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

from edgewright_runtime.steps.call import CallOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, KeysView


_NO_OPTIONS = CallOptions()


class MissingValueError(LookupError):
    """A step looks for a value that no step before it gave: the manifest names another."""


class NamedValues(Protocol):
    """What a step reads: values by name, of any kinds, for the manifest says which step gives what.

    A step that needs one of a kind says so where it takes it: `pixels: Array = values["pixels"]`.
    """

    def __getitem__(self, name: str, /) -> Any:
        """The value of this name."""

    def __contains__(self, name: object, /) -> bool:
        """Whether there is one of this name."""

    def __iter__(self) -> Iterator[str]:
        """The names."""

    def keys(self) -> KeysView[str]:
        """The names."""

    def get(self, name: str, default: Any = None, /) -> Any:
        """The value of this name, or what takes its place."""


class Values(dict[str, Any]):
    """The named values of a sample, or the streams of one: arrays that a user gives, and what steps made.

    A name that is not there is the manifest's fault, and told apart from a `KeyError` of a bug.

    Attributes:
        call: The options of the call, where there is one; steps find them by `call_of`.
    """

    __slots__ = ("call",)

    call: CallOptions

    @classmethod
    def for_call(cls, named: NamedValues, call: CallOptions) -> Self:
        """These values, with the options of a call beside them."""
        made = cls(named)
        made.call = call
        return made

    def __missing__(self, name: str) -> NoReturn:
        raise MissingValueError(f"nothing gives {name[:100]!r}")


def call_of(values: NamedValues) -> CallOptions:
    """The options of the call that these values belong to; plain values of a step that is tried alone have none."""
    return getattr(values, "call", _NO_OPTIONS)


def extended(values: NamedValues, added: NamedValues) -> Values:
    """A copy with values added or replaced, for the same call."""
    return Values.for_call({**values, **added}, call_of(values))
