"""What a worker sends back, one frozen dataclass for each operation: both ends of the pipe share them.

A worker may run on a device or in an emulator, so the reader trusts nothing in a response: `read_response` refuses
other keys and types in one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from edgewright_runtime.model import EngineInfo
from edgewright_targets import HostFacts
from edgewright_targets.record import RecordError, read_record

T = TypeVar("T")
_LONGEST_SECONDS = 366 * 24 * 3600


class ResponseError(Exception):
    """A response has the right types, and values that cannot be."""


@dataclass(frozen=True)
class Hello:
    """Of `hello`: the version of the protocol and of Edgewright, and facts about the machine."""

    protocol: int
    version: str
    machine: HostFacts

    def __post_init__(self) -> None:
        _check_counts(self.machine.cores, self.machine.threads, self.machine.memory_bytes)


@dataclass(frozen=True)
class Loaded:
    """Of `load`: seconds until the first inference, and which engine runs where."""

    seconds: float
    engine: EngineInfo

    def __post_init__(self) -> None:
        _check_times(self.seconds)
        _check_counts(self.engine.threads, *self.engine.nodes.values())


@dataclass(frozen=True)
class Answered:
    """Of `answer`: what was changed about samples, as index, kind and sentence."""

    said: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class Timed:
    """Of `time`: seconds of each call, and processor time over the time that passed."""

    seconds: tuple[float, ...]
    busy: float

    def __post_init__(self) -> None:
        _check_times(*self.seconds, self.busy)


@dataclass(frozen=True)
class Memory:
    """Of `memory`: peak resident memory in bytes."""

    peak_bytes: int

    def __post_init__(self) -> None:
        _check_counts(self.peak_bytes)


@dataclass(frozen=True)
class Done:
    """Of operations that only do something."""


@dataclass(frozen=True)
class Refused:
    """In the place of any of them: why it could not be done; see `edgewright_runtime.worker` for the kinds."""

    kind: str
    error: str


def _check_times(*values: float) -> None:
    # Sums and ratios of longer ones may overflow; NaN is not between anything.
    if not all(0 <= value <= _LONGEST_SECONDS for value in values):
        raise ResponseError("a time is negative, not finite or longer than a year")


def _check_counts(*values: int) -> None:
    if min(values, default=0) < 0:
        raise ResponseError("a number of things or bytes is negative")


def read_response(kind: type[T], data: Mapping[str, object], where: str) -> T | Refused:
    """The response in `data`, which has `ok` beside its fields.

    Raises:
        RecordError: It is neither a response of this kind nor a refusal; `where` begins the message.
        ResponseError: Its values cannot be.
    """
    fields = {name: value for name, value in data.items() if name != "ok"}
    if data.get("ok") is False:
        return read_record(Refused, fields, where)
    if data.get("ok") is not True:
        raise RecordError(f"{where}: the key 'ok' is neither true nor false.")
    return read_record(kind, fields, where)
