"""What a worker is asked, one frozen dataclass for each kind of operation that needs more than its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Keep:
    """Of `samples`: the samples as `wire.pack_samples` packs them; arrays and files come behind the line."""

    samples: tuple[Any, ...]


@dataclass(frozen=True)
class Load:
    """Of `load`: the package as the worker sees it, the engine, its threads, and whether its provider emulates.

    Without an engine the first in the package's order that can run there is loaded; without threads it has as many as
    the package says.
    """

    package: str
    engine: str | None = None
    threads: int | None = None
    emulate: bool = False


@dataclass(frozen=True)
class Samples:
    """Of `answer`, `feeds` and `time`: samples that the worker keeps, by number."""

    indices: tuple[int, ...]


@dataclass(frozen=True)
class Verify:
    """Of `verify`: the package, one engine of it or the one that it prefers, and whether that very one must run."""

    package: str
    engine: str | None = None
    strict: bool = False
