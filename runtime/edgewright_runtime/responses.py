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


@dataclass(frozen=True, kw_only=True)
class ColdStarted:
    """Of `cold_start`: seconds of each part of a fresh process up to its first answer; their sum is the whole.

    Attributes:
        process: From before the process is started to its first line of Python: the system, the interpreter.
        imports: Modules of the runtime, numpy, ONNX Runtime, and what the steps of the package need.
        open: The package: reading the request and the manifest, checking files, making the steps around the graphs.
        compile: The engine: loading a provider's library, reading graphs and weights, optimizing and compiling.
        first_answer: One sample, from the input to the prediction.
        whole: From before the process is started to the end of the first answer.
    """

    process: float
    imports: float
    open: float
    compile: float
    first_answer: float
    whole: float

    def __post_init__(self) -> None:
        _check_times(self.process, self.imports, self.open, self.compile, self.first_answer, self.whole)
        _check_above_zero(self.whole)


@dataclass(frozen=True, kw_only=True)
class Stamps:
    """Of a process that a worker started, in nanoseconds: its begin and end by the system's clock, and its parts."""

    began: int
    ended: int
    imports: int
    open: int
    compile: int
    first_answer: int


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


@dataclass(frozen=True, kw_only=True)
class TokenTimes:
    """Of `time_tokens`: how fast a text came.

    Attributes:
        prompt_tokens: Tokens of the prompt.
        new_tokens: Tokens that were made.
        first_token: Seconds from the prompt's tokens to the first new one.
        following: Seconds from the first new token to the last one.
    """

    prompt_tokens: int
    new_tokens: int
    first_token: float
    following: float

    def __post_init__(self) -> None:
        _check_counts(self.prompt_tokens, self.new_tokens)
        _check_times(self.first_token, self.following)
        # Rates divide by them, and the gate takes logarithms.
        _check_above_zero(self.first_token, self.following, self.new_tokens - 1)


@dataclass(frozen=True, kw_only=True)
class SensorEnergy:
    """What one sensor said: joules of all calls, whatever it sees, and watts of the idle machine just before."""

    name: str
    joules: float
    idle_watts: float


@dataclass(frozen=True, kw_only=True)
class EnergyRead:
    """Of `energy`: what the sensors of the machine said of some calls.

    Attributes:
        sensors: Those that could be read and moved; none where the figure is unknown.
        unknown: Why others could not, as sentences.
        calls: How many there were.
        seconds: How long they took.
        tokens: New tokens of each call; 0 where it generates no text.
    """

    sensors: tuple[SensorEnergy, ...]
    unknown: tuple[str, ...]
    calls: int
    seconds: float
    tokens: int

    def __post_init__(self) -> None:
        _check_counts(self.calls, self.tokens)
        # Joules and watts have the same limit: they are not negative, and finite.
        _check_times(self.seconds, *(value for one in self.sensors for value in (one.joules, one.idle_watts)))
        if self.sensors:
            _check_above_zero(self.calls, self.seconds, *(one.joules for one in self.sensors))


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
        raise ResponseError("a time is negative, not finite or longer than a year, as of a clock that was set back")


def _check_above_zero(*values: float) -> None:
    if min(values) <= 0:
        raise ResponseError("a time, a count or an energy is not above zero")


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
