"""Libraries that may be missing, and how a person installs them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder

from edgewright_targets.errors import MissingDependencyError


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a missing library inside the block into the pip command that installs it.

    Raises:
        MissingDependencyError: A library is missing; the hint names `extra`, the extra of the wheel that brings it.
    """
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            f"This needs the library '{error.name or error}', which is not installed.",
            hint=f"Install it with: pip install 'edgewright[{extra}]'",
        ) from error


def has_pip() -> bool:
    """Whether this Python has pip; without the finder of setuptools, which warns where distutils is imported."""
    return PathFinder.find_spec("pip") is not None


def check_installed(*modules: str) -> None:
    """Raise ImportError unless all these can be imported; nothing is imported, which would take seconds."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(name=module)
