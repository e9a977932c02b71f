"""What steps hand on by names, which a manifest says."""

from __future__ import annotations

from typing import Any, NoReturn


class MissingValueError(LookupError):
    """A step looks for a value that no step before it gave: the manifest names another."""


class Values(dict[str, Any]):
    """The named values of a sample, or the streams of one.

    A name that is not there is the manifest's fault, and told apart from a `KeyError` of a bug.
    """

    def __missing__(self, name: str) -> NoReturn:
        raise MissingValueError(f"nothing gives {name[:100]!r}")
