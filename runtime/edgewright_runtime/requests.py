"""What a worker is asked, one frozen dataclass for each kind of operation that needs more than its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgewright_runtime.finished import Finished


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
class ColdStart:
    """Of `cold_start`: the package as the worker sees it, one of its engines, and its threads; see `Load`."""

    package: str
    engine: str
    threads: int | None = None


@dataclass(frozen=True)
class StartedRequest:
    """To a process that a worker starts for `ColdStart`: the same, and a sample as `wire.pack_samples` packs it."""

    package: str
    engine: str
    threads: int | None
    sample: Any


@dataclass(frozen=True, kw_only=True)
class TimeTokens:
    """Of `time_tokens`: the sample that a prompt begins with, tokens of the prompt, and tokens to make after it."""

    index: int
    prompt_tokens: int
    new_tokens: int


@dataclass(frozen=True)
class Samples:
    """Of `answer`, `feeds` and `time`: samples that the worker keeps, by number."""

    indices: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """Of `finished`: the package as the worker sees it, and what was found about an engine there."""

    package: str
    found: Finished


@dataclass(frozen=True)
class Verify:
    """Of `verify`: the package, one engine of it or the one that it prefers, and whether that very one must run."""

    package: str
    engine: str | None = None
    strict: bool = False
